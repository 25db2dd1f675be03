// Flags of etcd's group "Clustering": who the others are and how the first members find each other.
import { inert, option, type MemberFlag } from './flag-row.ts'
import { oneOf, positive, text, toggle, urls } from './flag-type.ts'

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
]
