import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'

test('families are written with their help, type and labels', () => {
  const metrics = new Metrics()
  const requests = metrics.counter({ name: 'a_total', help: 'How many.', labels: ['x', 'y'] })
  const series = requests.with('1', 'a"b\\c\nd')
  series.add()
  series.add(2)
  const active = metrics.gauge({ name: 'b', help: 'Now.' }).with()
  active.add(3)
  active.add(-1)
  const stop = metrics.collected({ name: 'c', help: 'Asked.', labels: ['n'] }, () => [[['m'], 5]])
  expect(metrics.text()).toBe(
    [
      '# HELP a_total How many.',
      '# TYPE a_total counter',
      String.raw`a_total{x="1",y="a\"b\\c\nd"} 3`,
      '# HELP b Now.',
      '# TYPE b gauge',
      'b 2',
      '# HELP c Asked.',
      '# TYPE c gauge',
      'c{n="m"} 5',
      '',
    ].join('\n'),
  )
  stop()
  expect(metrics.text()).not.toContain('c{n="m"}')
})

test('buckets of a histogram hold all that is not above them', () => {
  const metrics = new Metrics()
  const times = metrics.histogram({ name: 't', help: 'Long.', labels: ['k'], buckets: [1, 2] })
  for (const value of [0.5, 1, 1.5, 9]) times.with('v').observe(value)
  expect(metrics.text().split('\n').slice(2)).toEqual([
    't_bucket{k="v",le="1"} 2',
    't_bucket{k="v",le="2"} 3',
    't_bucket{k="v",le="+Inf"} 4',
    't_sum{k="v"} 12',
    't_count{k="v"} 4',
    '',
  ])
})

test('a family asked for again is the same, and too many sets of labels are counted together', () => {
  const metrics = new Metrics()
  const of = (name: string): void => {
    metrics
      .counter({ name: 'n_total', help: 'Many.', labels: ['name'] })
      .with(name)
      .add()
  }
  for (let index = 0; index < 6000; index++) of(`${index}`)
  of('0')
  const lines = metrics.text().trim().split('\n')
  expect(lines).toContain('n_total{name="0"} 2')
  expect(lines.length).toBeLessThan(5010)
  const values = lines.slice(2).map((line) => Number(line.split(' ').at(-1)))
  expect(values.reduce((sum, value) => sum + value, 0)).toBe(6001)
})
