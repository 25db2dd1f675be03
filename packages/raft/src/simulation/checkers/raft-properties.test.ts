import { describe, expect, test } from 'vitest'
import { entry, ids, nodeId, voters } from '../../core/testing/test-cluster.ts'
import { encodeMembership } from '../../core/membership.ts'
import { entryType, type Entry, type Message } from '../../core/types.ts'
import { BoundedMemory } from './bounded-memory.ts'
import type { ObservedMember } from './checker.ts'
import { CommitRule } from './commit-rule.ts'
import { ElectionSafety } from './election-safety.ts'
import { LeaderAppendOnly } from './leader-append-only.ts'
import { LeaderCompleteness } from './leader-completeness.ts'
import { LogMatching } from './log-matching.ts'
import { findDisjointQuorum, MembershipSafety } from './membership-safety.ts'
import { RecoveredState } from './recovered-state.ts'
import { RecoveringMembers } from './recovering-members.ts'
import { StateMachineSafety } from './state-machine-safety.ts'
import { applied, logOf, observed, ready } from './testing/observed.ts'
import { Votes } from './votes.ts'

/** A property is nothing without a run that breaks it. */
function leads(id: string, life: number, change: { readonly term: number; readonly last: number }) {
  const { term, last } = change
  return observed({ id, life, status: { role: 'leader', term, lastIndex: last } })
}

describe('election safety', () => {
  test('two leaders of one term, or one that leads it again after a crash, break it', () => {
    for (const [id, life] of [
      ['b', 2],
      ['a', 3],
    ] as const) {
      const checker = new ElectionSafety()
      const first = leads('a', 1, { term: 4, last: 0 })
      const second = leads(id, life, { term: 4, last: 0 })
      checker.stepped(first, first.core.status())
      expect(() => {
        checker.stepped(second, second.core.status())
      }).toThrow('lead term 4')
    }
  })
})

describe('leader append-only', () => {
  test('a leader whose log gets shorter breaks it', () => {
    const checker = new LeaderAppendOnly()
    const long = leads('a', 1, { term: 4, last: 9 })
    const short = leads('a', 1, { term: 4, last: 8 })
    checker.stepped(long, long.core.status())
    expect(() => {
      checker.stepped(short, short.core.status())
    }).toThrow('cut its log from 9 to 8')
  })

  test('a leader that writes an entry again breaks it', () => {
    const checker = new LeaderAppendOnly()
    const leader = leads('a', 1, { term: 4, last: 2 })
    checker.persisting(leader, logOf(4, 4))
    expect(() => {
      checker.persisting(leader, [entry(2, 4)])
    }).toThrow('wrote entry 2 after 2')
  })
})

describe('log matching', () => {
  test('two entries of one index and term with different payloads break it', () => {
    const checker = new LogMatching()
    checker.persisting(observed({ id: 'a' }), [entry(1, 1, 'x')])
    expect(() => {
      checker.persisting(observed({ id: 'b' }), [entry(1, 1, 'y')])
    }).toThrow('has another payload elsewhere')
  })

  test('the same entry after entries of different terms breaks it', () => {
    const checker = new LogMatching()
    checker.persisting(observed({ id: 'a' }), [entry(1, 1), entry(2, 3)])
    expect(() => {
      checker.persisting(observed({ id: 'b' }), [entry(1, 2), entry(2, 3)])
    }).toThrow('follows term 2, elsewhere 1')
  })

  test('a witness has entries without payloads, and one with a payload breaks it', () => {
    const checker = new LogMatching()
    const witness = observed({ id: 'c', isWitness: true })
    checker.persisting(observed({ id: 'a' }), [entry(1, 1, 'x')])
    checker.persisting(witness, [entry(1, 1, '')])
    expect(() => {
      checker.persisting(witness, [entry(1, 1, 'x')])
    }).toThrow('witness c holds a payload at 1')
  })
})

describe('leader completeness', () => {
  test('a later leader that lacks a committed entry, or has another one, breaks it', () => {
    for (const [log, text] of [
      [logOf(1), 'holds nothing at index 2'],
      [logOf(1, 2), 'holds one of term 2 at index 2'],
    ] as const) {
      const checker = new LeaderCompleteness()
      const knows = observed({ id: 'a', entries: logOf(1, 1), status: { commitIndex: 2 } })
      checker.stepped(knows, knows.core.status())
      const leader = observed({
        id: 'b',
        life: 2,
        entries: log,
        status: { role: 'leader', term: 3 },
      })
      expect(() => {
        checker.stepped(leader, leader.core.status())
      }).toThrow(text)
    }
  })
})

describe('state machine safety', () => {
  test('two members that apply different entries at one index break it', () => {
    const checker = new StateMachineSafety()
    checker.applied(observed({ id: 'a', life: 1 }), applied(1, { checksum: 5 }))
    expect(() => {
      checker.applied(observed({ id: 'b', life: 2 }), applied(1, { checksum: 6 }))
    }).toThrow('b applied at 1')
  })

  test('an index left out, taken twice, or undone by a snapshot breaks it', () => {
    const member = observed()
    const checker = new StateMachineSafety()
    checker.applied(member, applied(1))
    checker.applied(member, applied(2))
    expect(() => {
      checker.applied(member, applied(4))
    }).toThrow('applied index 4 where 3 was next')
    expect(() => {
      checker.applied(member, applied(2))
    }).toThrow('applied index 2 where 3 was next')
    expect(() => {
      checker.restored(member, { index: 1 })
    }).toThrow('went back from 2 to a snapshot at 1')
  })

  test('a state that does not follow from the log breaks it', () => {
    const states = new Map([
      [nodeId('a'), 'x'],
      [nodeId('b'), 'y'],
    ])
    expect(() => {
      new StateMachineSafety().finished({ states, replayed: 'x' })
    }).toThrow('the state of b is')
  })
})

describe('membership safety', () => {
  const change = (index: number, ...names: string[]): Entry => {
    return {
      ...entry(index, 1),
      type: entryType.membership,
      data: encodeMembership(voters(...names)),
    }
  }

  test('two changes under way at a time break it', () => {
    const entries = [change(1, 'a', 'b'), change(2, 'a')]
    const leader = observed({ entries, status: { role: 'leader' } })
    expect(() => {
      new MembershipSafety().persisting(leader, [change(2, 'a')])
    }).toThrow('appended change 2 while 1 was not committed')
  })

  test('a change after which two quorums need not meet breaks it', () => {
    const checker = new MembershipSafety()
    const member = observed({ entries: [change(1, 'a', 'd', 'e')] })
    checker.started(member)
    expect(() => {
      checker.applied(member, applied(1))
    }).toThrow('change 1: ')
  })

  test('a leader without a vote breaks it', () => {
    const leader = observed({ id: 'd', status: { role: 'leader' } })
    expect(() => {
      new MembershipSafety().stepped(leader, leader.core.status())
    }).toThrow('d leads term 1 and has no vote')
  })

  test('a witness that leads breaks it', () => {
    const leader = observed({ id: 'c', isWitness: true, status: { role: 'leader' } })
    expect(() => {
      new MembershipSafety().stepped(leader, leader.core.status())
    }).toThrow('c leads term 1 and is a witness')
  })

  test('quorums meet when one voter comes or goes, and on both sides of a joint configuration', () => {
    const joint = { ...voters('a', 'd', 'e'), votersOutgoing: ids('a', 'b', 'c') }
    const three = voters('a', 'b', 'c')
    expect(findDisjointQuorum(three, voters('a', 'b', 'c', 'd'))).toBeUndefined()
    expect(findDisjointQuorum(three, voters('a', 'b'))).toBeUndefined()
    expect(findDisjointQuorum(three, joint)).toBeUndefined()
    expect(findDisjointQuorum(joint, voters('a', 'd', 'e'))).toBeUndefined()
    expect(findDisjointQuorum(three, voters('a', 'd', 'e'))).toBeDefined()
  })
})

describe('what was durable is there again', () => {
  const hardState = { term: 3, vote: nodeId('b'), commit: 0 }

  function checkerAfter(...readys: ReturnType<typeof ready>[]): RecoveredState {
    const checker = new RecoveredState()
    const member = observed()
    checker.started(member)
    for (const each of readys) checker.handingOut(member, each)
    return checker
  }

  test('a vote or a term that is forgotten breaks it, once it was durable', () => {
    const checker = checkerAfter(ready(1, { hardState }))
    checker.persisted(observed(), 1)
    for (const status of [
      { term: 2 },
      { term: 3, vote: undefined },
      { term: 3, vote: nodeId('c') },
    ]) {
      expect(() => {
        checker.started(observed({ life: 2, status }))
      }).toThrow('after term 3 and vote b')
    }
    checker.started(observed({ life: 2, status: { term: 3, vote: nodeId('b') } }))
  })

  test('a promise that left before the disk was done counts as if it had been', () => {
    const checker = checkerAfter(ready(1, { entries: logOf(1, 1) }))
    const address = { from: nodeId('a'), to: nodeId('b'), term: 1 }
    const hint = { rejected: false, hintIndex: 0, hintTerm: 0 }
    checker.sending(observed(), { type: 'appendEntriesResult', ...address, index: 2, ...hint }, 1)
    expect(() => {
      checker.started(observed({ life: 2, entries: logOf(1) }))
    }).toThrow('a log up to 1, durable was 2')
  })

  test('entries that are gone or others break it, once they were durable', () => {
    const checker = checkerAfter(ready(1, { entries: logOf(1, 1, 1) }))
    checker.started(observed({ life: 2, entries: logOf(1) }))
    checker.handingOut(observed(), ready(2, { entries: logOf(1, 1, 1) }))
    checker.persisted(observed(), 2)
    expect(() => {
      checker.started(observed({ life: 3, entries: logOf(1, 1) }))
    }).toThrow('a log up to 2, durable was 3')
    expect(() => {
      checker.started(observed({ life: 3, entries: logOf(1, 1, 2) }))
    }).toThrow('entry 3 of term 2, durable was one of term 1')
    const isRecovering = {
      hardState: { term: 1, vote: undefined, commit: 0, isRecovering: true },
    } as const
    checker.started(observed({ life: 3, entries: logOf(1, 1), restored: isRecovering }))
  })

  test('entries on their way to the disk may have taken the place of others, or not', () => {
    for (const found of [logOf(1, 1, 1), logOf(1, 2), logOf(1)]) {
      const checker = checkerAfter(ready(1, { entries: logOf(1, 1, 1) }))
      checker.persisted(observed(), 1)
      checker.handingOut(observed(), ready(2, { entries: [entry(2, 2)] }))
      checker.started(observed({ life: 2, entries: found, status: { term: 2 } }))
    }
  })
})

describe('a recovering member has no vote', () => {
  const restored = {
    hardState: { term: 1, vote: undefined, commit: 0, isRecovering: true },
  } as const
  const vote: Message = {
    type: 'requestVoteResult',
    from: nodeId('a'),
    to: nodeId('b'),
    term: 1,
    granted: true,
    preVote: false,
    commit: 0,
    commitTerm: 0,
  }

  test('a vote before its log is whole again, durably, breaks it', () => {
    const member = observed({ restored })
    const checker = new RecoveringMembers()
    checker.started(member)
    expect(() => {
      checker.handingOut(member, ready(1, { sendAfterPersist: [vote] }))
    }).toThrow('a sends requestVoteResult to b')
    const hardState = { term: 1, vote: undefined, commit: 0 }
    checker.handingOut(member, ready(2, { hardState, sendAfterPersist: [vote] }))
    expect(() => {
      checker.handingOut(member, ready(3, { send: [vote] }))
    }).toThrow('a sends requestVoteResult to b')
    checker.persisted(member, 2)
    checker.handingOut(member, ready(4, { send: [vote] }))
    expect(checker.recoveredCount).toBe(1)
  })
})

describe('votes', () => {
  const vote = (to: string, term = 3): Message => ({
    type: 'requestVoteResult',
    from: nodeId('a'),
    to: nodeId(to),
    term,
    granted: true,
    preVote: false,
    commit: 0,
    commitTerm: 0,
  })

  test('a second vote for somebody else in the same term breaks it, also in another life', () => {
    const checker = new Votes()
    checker.sending(observed({ life: 1 }), vote('b'))
    checker.sending(observed({ life: 1 }), vote('c', 4))
    checker.sending(observed({ life: 2 }), vote('b'))
    expect(() => {
      checker.sending(observed({ life: 2 }), vote('c'))
    }).toThrow('a votes for c in term 3, and has voted for b')
  })

  test('a vote for a candidate whose log is older than the own breaks it', () => {
    const checker = new Votes()
    const from = { from: nodeId('b'), to: nodeId('a'), term: 3, preVote: false, force: false }
    const lastLog = { lastLogIndex: 9, lastLogTerm: 1 }
    checker.sending(observed({ id: 'b' }), { type: 'requestVote', ...from, ...lastLog })
    const granted = ready(1, { sendAfterPersist: [vote('b')] })
    checker.handingOut(observed({ entries: logOf(1, 1) }), granted)
    expect(() => {
      checker.handingOut(observed({ entries: logOf(1, 2) }), granted)
    }).toThrow('a votes for b, whose log ends with 9/1, its own with 2/2')
  })

  test('a leader without a quorum of votes of its term breaks it', () => {
    const checker = new Votes()
    const leader = observed({ id: 'b', life: 2, status: { role: 'leader', term: 4 } })
    checker.sending(observed(), vote('b', 3))
    expect(() => {
      checker.stepped(leader, leader.core.status())
    }).toThrow('b leads term 4 with the votes of b alone')
    const other = observed({ id: 'b', life: 3, status: { role: 'leader', term: 3 } })
    checker.stepped(other, other.core.status())
  })
})

describe('commit rule', () => {
  const steps = (checker: CommitRule, ...members: ObservedMember[]): void => {
    for (const member of members) checker.stepped(member, member.core.status())
  }
  const leader = (log: readonly Entry[], commitIndex: number): ObservedMember => {
    return observed({ entries: log, status: { role: 'leader', term: 2, commitIndex } })
  }

  test('a leader that commits an entry of an older term, or one that no quorum holds, breaks it', () => {
    const log = logOf(1, 2)
    const checker = new CommitRule()
    checker.started(observed({ entries: log }))
    checker.started(observed({ id: 'b', life: 2, entries: logOf(1) }))
    steps(checker, leader(log, 0))
    expect(() => {
      steps(checker, leader(log, 1))
    }).toThrow('commits entry 1, which is of term 1')
    expect(() => {
      steps(checker, leader(log, 2))
    }).toThrow('commits entry 2, which only a holds durably')
  })

  test('a leader that commits what witnesses alone hold breaks it', () => {
    const membership = { ...voters('a', 'b', 'c'), witnesses: ids('b', 'c') }
    const checker = new CommitRule()
    checker.started(observed())
    checker.started(observed({ id: 'b', life: 2, entries: logOf(1) }))
    checker.started(observed({ id: 'c', life: 3, entries: logOf(1) }))
    const at = (commitIndex: number): ObservedMember => {
      const status = { role: 'leader', membership, commitIndex } as const
      return observed({ entries: logOf(1), status })
    }
    steps(checker, at(0))
    expect(() => {
      steps(checker, at(1))
    }).toThrow('commits entry 1, which only b,c holds durably')
  })

  test('a follower that takes more for committed than any leader does breaks it', () => {
    const log = logOf(1, 2, 2)
    const checker = new CommitRule()
    for (const [life, id] of ['a', 'b', 'c'].entries()) {
      checker.started(observed({ id, life: life + 1, entries: log }))
    }
    steps(checker, leader(log, 0), leader(log, 2))
    const follower = (commitIndex: number): ObservedMember => {
      return observed({ id: 'b', life: 2, entries: log, status: { term: 2, commitIndex } })
    }
    steps(checker, follower(2))
    expect(() => {
      steps(checker, follower(3))
    }).toThrow('b takes entry 3 of term 2 for committed, leaders have committed up to 2')
  })
})

describe('bounded memory', () => {
  const log = Array.from({ length: 7 }, (_, i) => entry(i + 1, 1, 'x'.repeat(68)))

  function look(member: ObservedMember): void {
    const checker = new BoundedMemory()
    for (let i = 0; i < 16; i++) checker.stepped(member, member.core.status())
  }

  test('more applied entries in memory than the limit break it', () => {
    const status = { appliedIndex: 7 }
    look(observed({ entries: log, status, config: { entryCacheSizeBytesMax: 700 } }))
    expect(() => {
      look(observed({ entries: log, status, config: { entryCacheSizeBytesMax: 699 } }))
    }).toThrow('a holds more than 699 bytes of applied entries')
  })

  test('a longer uncommitted tail than the limit breaks it', () => {
    const status = { role: 'leader' as const, commitIndex: 1 }
    look(observed({ entries: log, status, config: { uncommittedSizeBytesMax: 600 } }))
    expect(() => {
      look(observed({ entries: log, status, config: { uncommittedSizeBytesMax: 599 } }))
    }).toThrow('a has taken 600 bytes that are not committed')
  })

  test('a larger message than the limit breaks it, unless it holds one entry', () => {
    const append = (count: number): Message => {
      const address = {
        from: nodeId('a'),
        to: nodeId('b'),
        term: 1,
        prevLogIndex: 0,
        prevLogTerm: 0,
      }
      return { type: 'appendEntries', ...address, entries: log.slice(0, count), commit: 0 }
    }
    const member = observed({ config: { messageSizeBytesMax: 99 } })
    new BoundedMemory().handingOut(member, ready(1, { send: [append(1)] }))
    expect(() => {
      new BoundedMemory().handingOut(member, ready(1, { send: [append(2)] }))
    }).toThrow('a sends 200 bytes of entries in one message')
  })
})
