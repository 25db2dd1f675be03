// What every Backend must do; each implementation runs it.
import { describe, expect, test } from 'vitest'
import type { Backend, Row } from '../backend.ts'

export interface BackendHarness {
  readonly backend: Backend
  /** Opens the same storage again after close(). */
  reopen(): Promise<Backend>
  cleanUp(): Promise<void>
}

const value = (text: string): Uint8Array => Buffer.from(text)

async function readAll(backend: Backend, from = '', to = '\xff'): Promise<[string, string][]> {
  const view = backend.view()
  const rows = await collect(view.rows(from, to))
  view.release()
  return rows
}

async function collect(batches: AsyncIterable<readonly Row[]>): Promise<[string, string][]> {
  const rows: [string, string][] = []
  for await (const batch of batches) {
    for (const [k, v] of batch) {
      rows.push([Buffer.from(k).toString('latin1'), Buffer.from(v).toString()])
    }
  }
  return rows
}

async function* source(...rows: [string, string][]): AsyncIterable<readonly Row[]> {
  for (const [k, v] of rows) {
    yield await Promise.resolve([[Buffer.from(k, 'latin1'), value(v)] as const])
  }
}

export function backendSuite(name: string, open: () => Promise<BackendHarness>): void {
  const withBackend = (body: (harness: BackendHarness) => Promise<void>) => async () => {
    const harness = await open()
    try {
      await body(harness)
    } finally {
      await harness.cleanUp()
    }
  }

  describe(name, () => {
    test(
      'get sees a staged write, a written one, and none that is deleted',
      withBackend(async ({ backend }) => {
        backend.put('k\xff\0', value('1'))
        expect(Buffer.from(backend.get('k\xff\0')!).toString()).toBe('1')
        const flushed = backend.flush({ sync: false })
        backend.put('k\xff\0', value('2'))
        backend.put('other', value('3'))
        await flushed
        expect(Buffer.from(backend.get('k\xff\0')!).toString()).toBe('2')
        await backend.flush({ sync: true })
        backend.delete('k\xff\0')
        expect(backend.get('k\xff\0')).toBeUndefined()
        await backend.flush({ sync: false })
        expect(backend.get('k\xff\0')).toBeUndefined()
        expect(backend.get('none')).toBeUndefined()
        expect(backend.pendingSizeBytes).toBe(0)
      }),
    )

    test(
      'a view shows what was there when it was made, staged or written, in key order',
      withBackend(async ({ backend }) => {
        backend.put('c', value('1'))
        backend.put('a', value('1'))
        backend.put('d', value('1'))
        await backend.flush({ sync: false })
        backend.put('b', value('2'))
        backend.delete('c')
        backend.put('e', value('2'))
        const view = backend.view()
        const flushed = backend.flush({ sync: false })
        backend.put('a', value('3'))
        backend.delete('d')
        await flushed
        await backend.flush({ sync: false })
        const pinned = [['a', '1'], ['b', '2'], ['d', '1'], ['e', '2']] // prettier-ignore
        expect(await collect(view.rows('', '\xff'))).toEqual(pinned)
        expect(await collect(view.rows('b', 'd'))).toEqual([['b', '2']])
        view.release()
        expect(await readAll(backend)).toEqual([['a', '3'], ['b', '2'], ['e', '2']]) // prettier-ignore
      }),
    )

    test(
      'views page through more rows than one batch holds',
      withBackend(async ({ backend }) => {
        for (let i = 0; i < 2500; i++) backend.put(`row${String(i).padStart(5, '0')}`, value('x'))
        await backend.flush({ sync: false })
        for (let i = 0; i < 2500; i += 2) backend.delete(`row${String(i).padStart(5, '0')}`)
        expect(await readAll(backend)).toHaveLength(1250)
      }),
    )

    test(
      'what was flushed is there after the storage is opened again',
      withBackend(async ({ backend, reopen }) => {
        backend.put('a', value('1'))
        await backend.flush({ sync: true })
        backend.put('b', value('2'))
        await backend.close()
        const again = await reopen()
        expect(await readAll(again)).toEqual([['a', '1'], ['b', '2']]) // prettier-ignore
      }),
    )

    test(
      'replace drops all that was there and all that was staged, and older views keep theirs',
      withBackend(async ({ backend, reopen }) => {
        backend.put('a', value('1'))
        await backend.flush({ sync: false })
        backend.put('b', value('2'))
        const view = backend.view()
        await backend.replace(source(['c', '3'], ['d', '4']))
        expect(await readAll(backend)).toEqual([['c', '3'], ['d', '4']]) // prettier-ignore
        expect(backend.get('a')).toBeUndefined()
        expect(backend.get('b')).toBeUndefined()
        view.release()
        await backend.replace(source(['e', '5']))
        await backend.close()
        expect(await readAll(await reopen())).toEqual([['e', '5']])
      }),
    )

    test(
      'a replacement that breaks off leaves the old rows',
      withBackend(async ({ backend }) => {
        backend.put('a', value('1'))
        await backend.flush({ sync: false })
        async function* broken(): AsyncIterable<readonly Row[]> {
          yield* source(['c', '3'])
          throw new Error('the stream broke')
        }
        await expect(backend.replace(broken())).rejects.toThrow('the stream broke')
        expect(await readAll(backend)).toEqual([['a', '1']])
      }),
    )

    test(
      'defragment changes no row and size grows with the rows',
      withBackend(async ({ backend }) => {
        const before = backend.size().total
        for (let i = 0; i < 100; i++) backend.put(`k${i}`, new Uint8Array(1000))
        await backend.flush({ sync: true })
        await backend.defragment()
        expect(await readAll(backend)).toHaveLength(100)
        expect(backend.size().total).toBeGreaterThan(before)
      }),
    )
  })
}
