// Every controller that runs is judged by a property test: random states, caches that lag, crashes between any two actions.
import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const folder = new URL('./', import.meta.url)
/** What stands for those that ask somebody beside the caches, or have a limit that no simulation reaches. */
const standIns: Readonly<Record<string, string>> = {
  autoscalerController: 'autoscalerOver',
  certificateController: 'signing',
  podGarbageCollector: 'podGarbageCollectorOf',
}

test('every controller that runs has a property test', () => {
  const list = readFileSync(new URL('all-controllers.ts', folder), 'utf8')
  const names = [...(list.split('allControllers')[1] ?? '').matchAll(/^ {2}(\w+),$/gm)].map(
    ([, name = '']) => name,
  )
  expect(names.length).toBeGreaterThan(20)
  const judged = readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => {
      const text = readFileSync(new URL(file, folder), 'utf8')
      const shared = /^const controllers = \[(.*)\]$/m.exec(text)?.[1] ?? ''
      return [
        ...text.matchAll(/checkControllers\(\{\n\s+controllers(?:: \[([^\]]*)\])?,/g),
      ].flatMap(([, listed = shared]) => listed.match(/\w+/g) ?? [])
    })
  expect(names.filter((name) => !judged.includes(standIns[name] ?? name))).toEqual([])
})
