// The part of prom-client that we use, without the rest of it: its default metrics alone take a twentieth of a start.
import { createRequire } from 'node:module'
import type * as client from 'prom-client'

const load = createRequire(import.meta.url)
const part = (file: string): unknown => load(`prom-client/lib/${file}.js`)

export type Counter = client.Counter
export type Gauge = client.Gauge
export type Histogram = client.Histogram
export type Registry = client.Registry

/** As prom-client describes it, and so with the others. */
export const Counter: typeof client.Counter = part('counter') as typeof client.Counter
export const Gauge: typeof client.Gauge = part('gauge') as typeof client.Gauge
export const Histogram: typeof client.Histogram = part('histogram') as typeof client.Histogram
export const Registry: typeof client.Registry = part('registry') as typeof client.Registry
