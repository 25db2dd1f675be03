// Counters, gauges and histograms, written as text for Prometheus. Made for hot paths: whoever counts often keeps the series and adds to a
// number; all else happens when somebody asks.

export interface Counter {
  /** What was counted with these values of the labels, in their order; keep it where it is used often. */
  with(...values: readonly string[]): CounterSeries
}
export interface CounterSeries {
  /** By one unless told otherwise; of a gauge the amount may be negative. */
  add(amount?: number): void
}
export interface Histogram {
  with(...values: readonly string[]): HistogramSeries
}
export interface HistogramSeries {
  observe(value: number): void
}
/** Values of the labels, and what was measured. */
export type Sample = readonly [values: readonly string[], value: number]

interface Description {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}
interface Family extends Description {
  readonly type: 'counter' | 'gauge' | 'histogram'
  lines(): Iterable<string>
}

/** Sets of labels of a family; what comes after them is counted together, under empty labels. */
const seriesMax = 5000

export class Metrics {
  readonly #families = new Map<string, Family>()

  /** The one of that name, if there is one already. */
  counter(description: Description): Counter {
    return this.#family(description.name, () => new NumberFamily('counter', description))
  }

  /** One that is added to and taken from. */
  gauge(description: Description): Counter {
    return this.#family(description.name, () => new NumberFamily('gauge', description))
  }

  histogram(description: Description & { readonly buckets: readonly number[] }): Histogram {
    return this.#family(description.name, () => new HistogramFamily(description))
  }

  /** Asks `collect` whenever the text is asked for; returns how to stop that. */
  collected(
    description: Description & { readonly type?: 'counter' | 'gauge' },
    collect: () => Iterable<Sample>,
  ): () => void {
    const family = this.#family(description.name, () => new CollectedFamily(description))
    family.sources.add(collect)
    return () => family.sources.delete(collect)
  }

  text(): string {
    const lines: string[] = []
    for (const family of this.#families.values()) {
      lines.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`)
      for (const line of family.lines()) lines.push(line)
    }
    return `${lines.join('\n')}\n`
  }

  #family<T extends Family>(name: string, make: () => T): T {
    const known = this.#families.get(name)
    // A name stands for one kind of family, in the code that registers it.
    if (known !== undefined) return known as T
    const made = make()
    this.#families.set(name, made)
    return made
  }
}

class LabelledSeries<T> {
  readonly byKey = new Map<string, { readonly values: readonly string[]; readonly series: T }>()

  get(values: readonly string[], make: () => T): T {
    const key = values.join('\u0000')
    const known = this.byKey.get(key)
    if (known !== undefined) return known.series
    const isTooMany = this.byKey.size >= seriesMax && values.some((value) => value !== '')
    const others = values.map(() => '')
    if (isTooMany) return this.get(others, make)
    const series = make()
    this.byKey.set(key, { values, series })
    return series
  }
}

class NumberSeries implements CounterSeries {
  value = 0

  add(amount = 1): void {
    this.value += amount
  }
}

class NumberFamily implements Family, Counter {
  readonly type: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly #all = new LabelledSeries<NumberSeries>()

  constructor(type: 'counter' | 'gauge', { name, help, labels = [] }: Description) {
    this.type = type
    this.name = name
    this.help = help
    this.labels = labels
  }

  with(...values: readonly string[]): NumberSeries {
    return this.#all.get(values, () => new NumberSeries())
  }

  *lines(): Iterable<string> {
    for (const { values, series } of this.#all.byKey.values()) {
      yield `${this.name}${labelsText(this.labels, values)} ${series.value}`
    }
  }
}

class CollectedFamily implements Family {
  readonly type: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly sources = new Set<() => Iterable<Sample>>()

  constructor({
    name,
    help,
    labels = [],
    type = 'gauge',
  }: Description & { readonly type?: 'counter' | 'gauge' }) {
    this.type = type
    this.name = name
    this.help = help
    this.labels = labels
  }

  *lines(): Iterable<string> {
    for (const source of this.sources) {
      for (const [values, value] of source()) {
        yield `${this.name}${labelsText(this.labels, values)} ${value}`
      }
    }
  }
}

class BucketSeries implements HistogramSeries {
  readonly #bounds: readonly number[]
  /** Of each bucket alone; the last one is what is above all bounds. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    this.sum += value
    let index = 0
    while (value > (this.#bounds[index] ?? Infinity)) index++
    this.counts[index] = (this.counts[index] ?? 0) + 1
  }
}

class HistogramFamily implements Family, Histogram {
  readonly type = 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly #bounds: readonly number[]
  readonly #all = new LabelledSeries<BucketSeries>()

  constructor({
    name,
    help,
    labels = [],
    buckets,
  }: Description & { readonly buckets: readonly number[] }) {
    this.name = name
    this.help = help
    this.labels = labels
    this.#bounds = buckets
  }

  with(...values: readonly string[]): BucketSeries {
    return this.#all.get(values, () => new BucketSeries(this.#bounds))
  }

  *lines(): Iterable<string> {
    const { name } = this
    const bounds = [...this.#bounds.map(String), '+Inf']
    for (const { values, series } of this.#all.byKey.values()) {
      let count = 0
      for (const [index, bound] of bounds.entries()) {
        count += series.counts[index] ?? 0
        const text = labelsText([...this.labels, 'le'], [...values, bound])
        yield `${name}_bucket${text} ${count}`
      }
      const text = labelsText(this.labels, values)
      yield `${name}_sum${text} ${series.sum}`
      yield `${name}_count${text} ${count}`
    }
  }
}

const labelsText = (labels: readonly string[], values: readonly string[]): string =>
  labels.length === 0
    ? ''
    : `{${labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`).join(',')}}`

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
