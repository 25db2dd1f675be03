// Flags of etcd's group "Clustering": who the others are and how the first members find each other.
import { discovery, inert, option, silent, type MemberFlag } from './flag-row.ts'
import { duration, list, oneOf, positive, text, toggle, urls } from './flag-type.ts'

export const clusteringGroup: readonly MemberFlag[] = [
  option(
    'initial-advertise-peer-urls',
    'initialAdvertisePeerUrls',
    urls,
    'http://localhost:2380',
    'What other members are told, with commas; the listen URLs if left out.',
  ),
  option(
    'initial-cluster',
    'initialCluster',
    text,
    'default=http://localhost:2380',
    'NAME=URL of every first member, with commas.',
  ),
  option(
    'initial-cluster-state',
    'initialClusterState',
    oneOf('new', 'existing'),
    'new',
    "'new', or 'existing' for a member that joins a running cluster or has its data.",
  ),
  option(
    'initial-cluster-token',
    'initialClusterToken',
    text,
    'etcd-cluster',
    'Tells clusters with the same URLs apart.',
  ),
  option(
    'advertise-client-urls',
    'advertiseClientUrls',
    urls,
    'http://localhost:2379',
    'What clients are told, with commas; the listen URLs if left out.',
  ),
  option(
    'strict-reconfig-check',
    'strictReconfigCheck',
    toggle,
    'true',
    'Refuse changes of members that lose the quorum.',
  ),
  inert('pre-vote', toggle, 'true', 'Ask before an election whether it could be won.'),
  option(
    'auto-compaction-retention',
    'autoCompactionRetention',
    text,
    '0',
    "History that is kept: hours or '30m', or so many revisions; 0 for all.",
  ),
  option(
    'auto-compaction-mode',
    'autoCompactionMode',
    oneOf('periodic', 'revision'),
    'periodic',
    'By time or revisions.',
  ),
  option('max-learners', 'maxLearners', positive, '1', 'The most learners in the cluster.'),
  option(
    'learner-auto-promote',
    'learnerAutoPromote',
    toggle,
    'false',
    'New learners become voters by themselves once they have caught up.',
  ),
  discovery(
    'discovery-endpoints',
    'endpoints',
    list,
    '',
    'A running cluster where the first members find each other, with commas.',
    { fileKeys: ['discovery-config.endpoints'] },
  ),
  discovery('discovery-token', 'token', text, '', 'What they share there.', {
    fileKeys: ['discovery-config.token'],
  }),
  discovery('discovery-dial-timeout', 'dialTimeoutMs', duration, '2s', 'How long it may take.', {
    fileKeys: ['discovery-config.dial-timeout'],
  }),
  discovery('discovery-cacert', 'caFile', text, '', 'Who signed its certificates (PEM).', {
    fileKeys: ['discovery-config.secure.cacert'],
  }),
  discovery('discovery-cert', 'certFile', text, '', 'The certificate shown to it (PEM).', {
    fileKeys: ['discovery-config.secure.cert'],
  }),
  discovery('discovery-key', 'keyFile', text, '', 'Its key (PEM).', {
    fileKeys: ['discovery-config.secure.key'],
  }),
  discovery('discovery-user', 'user', text, '', 'NAME or NAME:PASSWORD of a user there.', {
    fileKeys: ['discovery-config.auth.username'],
  }),
  discovery('discovery-password', 'password', text, '', "That user's password.", {
    fileKeys: ['discovery-config.auth.password'],
  }),
  silent('discovery-insecure-transport', toggle, 'true', 'The scheme of the endpoints says it.'),
  discovery(
    'discovery-srv',
    'srvDomain',
    text,
    '',
    'The domain whose SRV records name the first members.',
  ),
  discovery('discovery-srv-name', 'srvName', text, '', 'Added to the names of the services.'),
]
