// A table as etcdctl draws it: headings in the middle, cells to the right.

export function textTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)),
  )
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const centered = (text: string, width: number): string => {
    const left = Math.floor((width - text.length) / 2)
    return (' '.repeat(left) + text).padEnd(width)
  }
  const head = line(headings.map((heading, i) => centered(heading, widths[i] ?? 0)))
  const body = rows.map((row) => line(row.map((cell, i) => cell.padStart(widths[i] ?? 0))))
  return [rule, head, rule, ...body, ...(rows.length > 0 ? [rule] : [])].join('\n')
}
