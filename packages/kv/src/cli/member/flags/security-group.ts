// Flags of etcd's groups "Security" and "Auth".
import { inert, peerTls, refused, type MemberFlag } from './flag-row.ts'
import { count, list, text, toggle } from './flag-type.ts'

const noTls = 'TLS is not served yet; put a TLS proxy in front and leave it out'
const onlyPeerFiles =
  'TLS between members takes --peer-cert-file, --peer-key-file and --peer-trusted-ca-file'

export const securityGroup: readonly MemberFlag[] = [
  ...['cert-file', 'key-file', 'trusted-ca-file', 'client-crl-file', 'cipher-suites'].map((name) =>
    refused(name, text, noTls),
  ),
  refused('client-cert-allowed-hostname', text, noTls),
  refused('tls-min-version', text, noTls),
  refused('tls-max-version', text, noTls),
  refused('client-cert-auth', toggle, noTls),
  refused('auto-tls', toggle, noTls),
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
    'Members show certificates; always so with those files.',
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
  refused('peer-crl-file', text, onlyPeerFiles),
  refused('peer-auto-tls', toggle, onlyPeerFiles),
  inert('cors', list, '*', 'Origins whose pages may ask, with commas.'),
  inert('host-whitelist', list, '*', 'Host names that requests without TLS may use, with commas.'),
]

export const authGroup: readonly MemberFlag[] = [
  refused('auth-token', text, 'users are not there yet; leave it out'),
  inert('bcrypt-cost', count, '10', 'How costly a password is to check: 4 to 31.'),
  inert('auth-token-ttl', count, '300', 'Seconds that a token lives.'),
]
