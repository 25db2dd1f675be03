// Mutants of the shell around the core.
import { change, type Mutant } from './mutant.ts'

export const shellMutants: readonly Mutant[] = [
  {
    name: 'what was proposed in the present term is proposed again',
    kind: 'proposals',
    seed: 1,
    edits: [
      change(
        'node/proposals.ts',
        'this.#takeInFlight((batch) => batch.term < term)',
        'this.#takeInFlight((batch) => batch.term <= term)',
      ),
    ],
  },
  {
    name: 'a command whose outcome is unknown is proposed again',
    kind: 'proposals',
    seed: 4,
    edits: [
      change(
        'node/proposals.ts',
        "    const text = 'A snapshot was installed meanwhile: the command may be applied'\n    const error = new RaftError('TIMEOUT', text)\n    this.#fail(\n      this.#takeInFlight((batch) => batch.term <= term),\n      error,\n    )\n",
        '    this.#waiting = [...this.#takeInFlight((batch) => batch.term <= term), ...this.#waiting]\n',
      ),
    ],
  },
  {
    name: 'a command that timed out is said not to be applied',
    kind: 'proposals',
    seed: 1,
    edits: [
      change(
        'node/proposals.ts',
        "this.#fail(inFlight, new RaftError('TIMEOUT', text))",
        "this.#fail(inFlight, new RaftError('NO_LEADER', text))",
      ),
    ],
  },
  {
    name: 'a read is answered one entry too early',
    kind: 'reads',
    seed: 4,
    edits: [change('node/reads.ts', 'if (wanted > index) break', 'if (wanted > index + 1) break')],
  },
  {
    name: 'a read that comes during a round gets the answer of that round',
    kind: 'reads',
    seed: 24,
    edits: [
      change(
        'node/reads.ts',
        'this.#indexed.push({ index: state.index, how, reads: round.reads })',
        `this.#indexed.push({ index: state.index, how, reads: [...round.reads, ...this.#gathering] })
      this.#gathering = []`,
      ),
    ],
  },
  {
    name: 'the log is compacted beyond what the state machine holds durably',
    kind: 'snapshot',
    seed: 1,
    edits: [
      change(
        'node/checkpoints.ts',
        'const byCount = index - catchUpEntries',
        'const byCount = this.#options.applied().index',
      ),
      change(
        'node/checkpoints.ts',
        'Math.min(wanted, index, keepAfter())',
        'Math.min(wanted, keepAfter())',
      ),
    ],
  },
  {
    name: 'acknowledgements leave when any write is done, not their own',
    kind: 'durability',
    seed: 1,
    edits: [
      change(
        'node/member-loop.ts',
        'if (delayed.sequence > sequence) break',
        'if (delayed.sequence > sequence + 1) break',
      ),
    ],
  },
]
