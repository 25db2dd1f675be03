// The house rules that a compiler cannot see, as pure checks over file texts. tidy.test.ts runs them on the tree and on planted violations.

export interface SourceFile {
  /** Relative to the repository, '/' separated. */
  readonly path: string
  readonly text: string
}
export type Rule = (files: readonly SourceFile[]) => string[]

const packageOrder = ['raft', 'kv', 'orchestrator']
export const pureFolders: readonly string[] = [
  'packages/raft/src/core/',
  'packages/kv/src/mvcc/',
  'packages/kv/src/lease/',
  'packages/kv/src/quota/',
  'packages/kv/src/watch/',
  'packages/kv/src/proto/',
  'packages/kv/src/auth/',
  'packages/orchestrator/src/resources/',
  'packages/orchestrator/src/controllers/',
  'packages/orchestrator/src/scheduler/',
]
/** Shells that live among pure files of a pure folder would be a wall in the wrong place: there are none. */
const deterministicFolders = [
  ...pureFolders,
  'packages/raft/src/simulation/',
  'packages/kv/src/simulation/',
]
/** Entry points that no other file imports. */
const entryPoints = [
  /\/index\.ts$/,
  /\/main\.ts$/,
  /-main\.ts$/,
  /\.test\.ts$/,
  /\/testing\//,
  /-worker\.ts$/,
]
const longFileLinesMax = 400

const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/testing/')
const isPackage = (path: string): boolean => /^packages\/[a-z]+\/src\//.test(path)
const isProduct = (path: string): boolean =>
  isPackage(path) && path.endsWith('.ts') && !isTest(path)

interface Import {
  readonly from: string
  readonly typeOnly: boolean
}
const importsOf = (text: string): Import[] =>
  [...text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)].map(
    (match) => ({
      from: match[2] ?? '',
      typeOnly: match[1] !== undefined,
    }),
  )

const resolveRelative = (path: string, target: string): string => {
  const parts = path.split('/').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** Source text without comments and string contents, line structure kept, so that words in prose do not count. */
export const codeOnly = (text: string): string =>
  text.replaceAll(
    /\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
    (match) => (match.startsWith('/') ? match.replaceAll(/[^\n]/g, '') : `''`),
  )

const lines = (
  files: readonly SourceFile[],
  applies: (path: string) => boolean,
  pattern: RegExp,
  why: string,
  view: (text: string) => string = codeOnly,
): string[] =>
  files
    .filter((file) => applies(file.path))
    .flatMap((file) =>
      view(file.text)
        .split('\n')
        .flatMap((line, index) =>
          pattern.test(line) ? [`${file.path}:${index + 1}: ${why}`] : [],
        ),
    )

export const importDirection: Rule = (files) =>
  files
    .filter((file) => isPackage(file.path))
    .flatMap((file) => {
      const own = packageOrder.indexOf(file.path.split('/')[1] ?? '')
      return importsOf(file.text).flatMap(({ from }) => {
        const other = /^@balsa\/([a-z]+)/.exec(from)?.[1]
        if (other !== undefined && packageOrder.indexOf(other) >= own) {
          return [`${file.path}: imports ${from}, but the direction is orchestrator -> kv -> raft`]
        }
        if (
          from.startsWith('.') &&
          !isTest(file.path) &&
          !resolveRelative(file.path, from).startsWith(file.path.split('/').slice(0, 3).join('/'))
        ) {
          return [`${file.path}: reaches outside its package with ${from}`]
        }
        return []
      })
    })

export const orchestratorKnowsNothingOfRaft: Rule = (files) =>
  lines(
    files,
    (path) => path.startsWith('packages/orchestrator/src/') && !isTest(path),
    /from '@balsa\/raft(?!\/assert)/,
    'the orchestrator knows nothing of raft',
    (text) => text,
  )

/** They only compute: no clock, no input, nothing kept that can be seen. */
const pureLibraries: ReadonlySet<string> = new Set(['@balsa/raft/assert', 're2js'])

export const pureImports: Rule = (files) =>
  files
    .filter(
      (file) => isProduct(file.path) && pureFolders.some((folder) => file.path.startsWith(folder)),
    )
    .flatMap((file) =>
      importsOf(file.text).flatMap(({ from, typeOnly }) => {
        if (pureLibraries.has(from)) return []
        if (!from.startsWith('.')) return [`${file.path}: a pure file imports ${from}`]
        const target = resolveRelative(file.path, from)
        if (pureFolders.some((folder) => target.startsWith(folder))) return []
        return typeOnly || target.endsWith('/errors.ts')
          ? []
          : [`${file.path}: a pure file imports the shell ${from}`]
      }),
    )

export const determinism: Rule = (files) =>
  lines(
    files,
    (path) =>
      isProduct(path) &&
      !path.endsWith('/main.ts') &&
      deterministicFolders.some((folder) => path.startsWith(folder)),
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bperformance\.now\b|\bprocess\.(?:hrtime|env|uptime)\b|\brandomUUID\b|\brandomBytes\b/,
    'a clock, timer or random source in a deterministic folder',
  )

export const pureIsSynchronous: Rule = (files) =>
  lines(
    files,
    (path) => isProduct(path) && pureFolders.some((folder) => path.startsWith(folder)),
    /\basync\b|\bawait\b|\bnew Promise\b|\bPromise\.|\bBuffer\b/,
    'a promise or Buffer in a pure folder',
  )

export const noConsole: Rule = (files) =>
  lines(
    files,
    (path) => isProduct(path) && path !== 'packages/raft/src/simulation/main.ts',
    /\bconsole\./,
    'console in a package',
  )

export const noExportAll: Rule = (files) =>
  lines(files, isPackage, /^\s*export \*/, 'export * hides what is public')

export const noLeftovers: Rule = (files) => [
  ...lines(
    files,
    (path) => path.endsWith('.ts'),
    /\b(?:TODO|FIXME|XXX|HACK)\b/,
    'a leftover',
    (text) => text.replaceAll(/'[^'\n]*'|\/[^/\n]+\/[a-z]*/g, ''),
  ),
  ...lines(files, (path) => path.endsWith('.ts'), /\b(?:it|test|describe)\.only\b/, 'an only test'),
  ...lines(
    files,
    isProduct,
    /@ts-ignore|@ts-expect-error|(?:eslint|oxlint)-disable/,
    'a silenced check',
    (text) => text,
  ),
  ...lines(
    files,
    isProduct,
    /catch\s*(?:\([^)]*\))?\s*\{\s*\}|\.catch\(\(\)\s*=>\s*(?:\{\s*\}|undefined)\)/,
    'a swallowed error',
  ),
]

export const fileNames: Rule = (files) =>
  files
    .filter((file) => isPackage(file.path) && file.path.endsWith('.ts'))
    .flatMap((file) => {
      const name = file.path.split('/').at(-1) ?? ''
      if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.ts$/.test(name))
        return [`${file.path}: file names are kebab-case`]
      return /(?:^|-)(?:utils?|helpers?|common|misc|manager)(?:-|\.)/.test(name)
        ? [`${file.path}: name it after what it does`]
        : []
    })

export const deadFiles: Rule = (files) => {
  const imported = new Set<string>()
  for (const file of files) {
    for (const match of file.text.matchAll(/(?:from|import\(|import|new URL\()\s*'(\.[^']+)'/g)) {
      imported.add(resolveRelative(file.path, match[1] ?? ''))
    }
  }
  return files
    .filter((file) => isPackage(file.path) && file.path.endsWith('.ts') && !imported.has(file.path))
    .filter((file) => !entryPoints.some((pattern) => pattern.test(file.path)))
    .map((file) => `${file.path}: nothing imports it`)
}

/** A long file needs a reason a reader accepts; `allowed` maps it to that reason. */
export const longFiles =
  (allowed: Readonly<Record<string, string>>): Rule =>
  (files) =>
    files
      .filter((file) => isProduct(file.path) && allowed[file.path] === undefined)
      .filter((file) => file.text.split('\n').length > longFileLinesMax + 1)
      .map(
        (file) =>
          `${file.path}: ${file.text.split('\n').length} lines, more than ${longFileLinesMax}`,
      )

export const firstComment: Rule = (files) =>
  files
    .filter(
      (file) =>
        isProduct(file.path) &&
        !file.path.endsWith('/index.ts') &&
        !/^(?:#!.*\n)?\/[/*]/.test(file.text),
    )
    .map((file) => `${file.path}: does not begin with a comment that says what it is`)

export const noMachinePaths: Rule = (files) =>
  lines(
    files,
    (path) => path !== 'package-lock.json',
    new RegExp(
      `(^|[^\\w.])/(?:${['work', 'farm', 'root'].join('|')})/[a-zA-Z0-9.]|registry\\.npmjs` +
        '\\.org',
    ),
    'a path of a machine or an address of a registry',
    (text) => text,
  )

/** Relative links of every markdown page lead to a file. `exists` answers for a path relative to the repository. */
export const links =
  (exists: (path: string) => boolean): Rule =>
  (files) =>
    files
      .filter((file) => file.path.endsWith('.md'))
      .flatMap((file) =>
        [...file.text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
          .map((match) => match[1] ?? '')
          .filter(
            (target) => !/^[a-z]+:/.test(target) && !exists(resolveRelative(file.path, target)),
          )
          .map((target) => `${file.path}: the link ${target} leads nowhere`),
      )
