// One line for each figure of the control plane: what was measured, what it should be, whether it is, and what Kubernetes was measured at.

/** `limit` in the unit of the figure. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }

export const whole = (value: number): string => Math.round(value).toLocaleString('en')

const goalText = (goal: Goal): string =>
  'atLeast' in goal
    ? `>= ${goal.atLeast.toLocaleString('en')}`
    : `<= ${goal.atMost.toLocaleString('en')}`

const isMet = (goal: Goal, value: number): boolean =>
  'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost

export function printHead(title: string): void {
  console.log(title)
  printLine('', 'measured', 'goal', '', 'Kubernetes 1.20.2')
}

/** `text` shows `value` with its unit. */
export function printFigure(
  question: string,
  { text, value, goal, rival = '' }: { text: string; value: number; goal?: Goal; rival?: string },
): void {
  const verdict = goal === undefined ? '' : isMet(goal, value) ? 'met' : 'NOT MET'
  printLine(question, text, goal === undefined ? '' : goalText(goal), verdict, rival)
}

const printLine = (
  question: string,
  text: string,
  goal: string,
  verdict: string,
  rival: string,
): void =>
  console.log(
    `  ${question.padEnd(52)} ${text.padEnd(36)} ${goal.padEnd(10)} ${verdict.padEnd(8)} ${rival}`.trimEnd(),
  )
