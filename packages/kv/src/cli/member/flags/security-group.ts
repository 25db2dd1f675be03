// Flags of etcd's groups "Security" and "Auth".
import { clientTls, option, peerTls, type MemberFlag } from './flag-row.ts'
import { count, list, oneOf, positive, text, toggle } from './flag-type.ts'

export const securityGroup: readonly MemberFlag[] = [
  clientTls('cert-file', 'certFile', text, '', 'The certificate shown to clients (PEM).', {
    fileKeys: ['client-transport-security.cert-file'],
  }),
  clientTls('key-file', 'keyFile', text, '', 'Its key (PEM).', {
    fileKeys: ['client-transport-security.key-file'],
  }),
  clientTls(
    'client-cert-auth',
    'clientCertAuth',
    toggle,
    'false',
    'Clients must show certificates; their common names count as users.',
    { fileKeys: ['client-transport-security.client-cert-auth'] },
  ),
  clientTls(
    'trusted-ca-file',
    'trustedCaFile',
    text,
    '',
    'Who signs the certificates of clients (PEM); asks for certificates too.',
    { fileKeys: ['client-transport-security.trusted-ca-file'] },
  ),
  clientTls('client-crl-file', 'crlFile', text, '', 'Revoked certificates of clients.', {
    fileKeys: ['client-transport-security.client-crl-file'],
  }),
  clientTls(
    'client-cert-allowed-cn',
    'allowedCommonNames',
    list,
    '',
    'Common names that certificates of clients may have, with commas.',
    { fileKeys: ['client-transport-security.allowed-cn'] },
  ),
  clientTls(
    'client-cert-allowed-hostname',
    'allowedHostnames',
    list,
    '',
    'Host names that certificates of clients may have, with commas.',
    { fileKeys: ['client-transport-security.allowed-hostname'] },
  ),
  option(
    'auto-tls',
    'clientAutoTls',
    toggle,
    'false',
    'Without files: a certificate that the member signs itself.',
    { fileKeys: ['client-transport-security.auto-tls'] },
  ),
  clientTls('cipher-suites', 'cipherSuites', list, '', "Go's names of suites, with commas."),
  clientTls(
    'tls-min-version',
    'minVersion',
    oneOf('TLS1.2', 'TLS1.3'),
    'TLS1.2',
    'The oldest version of TLS that is spoken.',
  ),
  clientTls('tls-max-version', 'maxVersion', oneOf('TLS1.2', 'TLS1.3'), '', 'The newest.'),
  option(
    'self-signed-cert-validity',
    'selfSignedCertValidityYears',
    positive,
    '1',
    'Years that a certificate is good for that the member signs itself.',
  ),
  peerTls(
    'peer-cert-file',
    'certFile',
    text,
    '',
    "This member's certificate, shown to and by members (PEM).",
    { fileKeys: ['peer-transport-security.cert-file'] },
  ),
  peerTls('peer-key-file', 'keyFile', text, '', 'Its key (PEM).', {
    fileKeys: ['peer-transport-security.key-file'],
  }),
  peerTls(
    'peer-trusted-ca-file',
    'trustedCaFile',
    text,
    '',
    'Who signs the certificates of members (PEM).',
    { fileKeys: ['peer-transport-security.trusted-ca-file'] },
  ),
  peerTls(
    'peer-client-cert-auth',
    'clientCertAuth',
    toggle,
    'false',
    'Members must show certificates; always so with --peer-trusted-ca-file.',
    { fileKeys: ['peer-transport-security.client-cert-auth'] },
  ),
  peerTls(
    'peer-cert-allowed-cn',
    'allowedNames',
    list,
    '',
    'Common names that certificates of members may have, with commas.',
    { fileKeys: ['peer-transport-security.allowed-cn'] },
  ),
  peerTls(
    'peer-cert-allowed-hostname',
    'allowedNames',
    list,
    '',
    'Host names that certificates of members may have, with commas.',
    { fileKeys: ['peer-transport-security.allowed-hostname'] },
  ),
  peerTls('peer-crl-file', 'crlFile', text, '', 'Revoked certificates of members.', {
    fileKeys: ['peer-transport-security.crl-file'],
  }),
  option(
    'peer-auto-tls',
    'peerAutoTls',
    toggle,
    'false',
    'Without files: a certificate that the member signs itself; it verifies nobody.',
    { fileKeys: ['peer-transport-security.auto-tls'] },
  ),
  option('cors', 'cors', list, '*', 'Origins whose pages may ask, with commas.'),
  option(
    'host-whitelist',
    'hostWhitelist',
    list,
    '*',
    'Host names that requests without TLS may use, with commas.',
  ),
]

export const authGroup: readonly MemberFlag[] = [
  option(
    'auth-token',
    'authToken',
    text,
    'simple',
    "How tokens are made: 'simple' or 'jwt,sign-method=,pub-key=,priv-key=,ttl='.",
  ),
  option('bcrypt-cost', 'bcryptCost', count, '10', 'How costly a password is to check: 4 to 31.'),
  option(
    'auth-token-ttl',
    'authTokenTtlSeconds',
    count,
    '300',
    'Seconds that a simple token lives unused.',
  ),
]
