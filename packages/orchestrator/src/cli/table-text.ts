// Prints the server's Table answers as kubectl does: capitals above, columns three spaces apart.
import type { KubeObject } from '../resources/object.ts'

export interface TableColumn {
  readonly name: string
  readonly priority?: number
}
export interface TableRow {
  readonly cells: readonly unknown[]
  readonly object?: KubeObject
}
/** meta.k8s.io/v1 Table. In a watch only the first event carries the columns. */
export interface Table {
  readonly kind: string
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly columnDefinitions?: readonly TableColumn[] | null
  readonly rows?: readonly TableRow[] | null
  /** The headers stand there even where there are no rows. */
  readonly isPrintedEmpty?: boolean
}

export interface TableStyle {
  readonly isWide?: boolean
  readonly hasNamespaces?: boolean
  readonly hasHeaders?: boolean
  readonly hasLabels?: boolean
  /** Labels that have a column each. */
  readonly labelColumns?: readonly string[]
  /** Names of columns stand as they are, not in capitals. */
  readonly keepsCase?: boolean
  /** Put before names when several kinds are shown: `deployment.apps/`. */
  readonly namePrefix?: string
}

const columnGap = 3
const columnWidthMin = 6

/** Remembers columns and widths, so that the rows of a watch stand under those of the list. */
export class TablePrinter {
  readonly #style: TableStyle
  #columns: readonly TableColumn[] = []
  #widths: readonly number[] = []
  #hasHeaders: boolean

  constructor(style: TableStyle) {
    this.#style = style
    this.#hasHeaders = style.hasHeaders !== false
  }

  /** The lines of `table`, headers before the first ones. */
  text(table: Table): string {
    if (table.columnDefinitions !== undefined && table.columnDefinitions !== null) {
      this.#columns = table.columnDefinitions
    }
    const lines = (table.rows ?? []).map((row) => this.#cells(row))
    if (lines.length === 0 && table.isPrintedEmpty !== true) return ''
    if (this.#hasHeaders) lines.unshift(this.#headers())
    this.#hasHeaders = false
    const count = lines[0]?.length ?? 0
    this.#widths = Array.from({ length: count }, (_, index) =>
      Math.max(
        this.#widths[index] ?? columnWidthMin,
        ...lines.map((line) => (line[index] ?? '').length + columnGap),
      ),
    )
    return lines.map((line) => `${this.#line(line)}\n`).join('')
  }

  #headers(): string[] {
    return [
      ...(this.#style.hasNamespaces === true ? ['NAMESPACE'] : []),
      ...this.#shown(
        this.#columns.map(({ name }) =>
          this.#style.keepsCase === true ? name : name.toUpperCase(),
        ),
      ),
      ...(this.#style.labelColumns ?? []).map((name) =>
        (name.split('/').at(-1) ?? '').toUpperCase(),
      ),
      ...(this.#style.hasLabels === true ? ['LABELS'] : []),
    ]
  }

  #cells(row: TableRow): string[] {
    const { hasNamespaces, hasLabels, namePrefix = '' } = this.#style
    const metadata = row.object?.metadata
    const cells = this.#shown(row.cells.map(cellText))
    const labels = Object.entries(metadata?.labels ?? {}).map(([key, value]) => `${key}=${value}`)
    return [
      ...(hasNamespaces === true ? [metadata?.namespace ?? ''] : []),
      `${namePrefix}${cells[0] ?? ''}`,
      ...cells.slice(1),
      ...(this.#style.labelColumns ?? []).map((name) => metadata?.labels?.[name] ?? ''),
      ...(hasLabels === true ? [labels.length === 0 ? '<none>' : labels.join(',')] : []),
    ]
  }

  #shown(cells: readonly string[]): string[] {
    return cells.filter(
      (_, index) => this.#style.isWide === true || (this.#columns[index]?.priority ?? 0) === 0,
    )
  }

  #line(cells: readonly string[]): string {
    return cells
      .map((cell, index) =>
        index === cells.length - 1 ? cell : cell.padEnd(this.#widths[index] ?? 0),
      )
      .join('')
  }
}

const cellText = (cell: unknown): string => {
  if (cell === null || cell === undefined) return '<none>'
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell)
  // A cell is one line: kubectl shows control characters in a message escaped.
  return text.replaceAll('\n', String.raw`\n`).replaceAll('\t', String.raw`\t`)
}
