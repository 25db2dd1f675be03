// `balsa cp`: files into a container and out of it, as a tar archive through a command that runs there.
import { closeSync, lstatSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { basename, dirname, join, normalize, posix, relative, sep } from 'node:path'
import { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { podsRef } from './find-pod.ts'
import { endWith, runInPod, type Streams } from './pod-command.ts'
import { tarFiles } from './tar/tar-files.ts'
import { type TarEntry, TarReader } from './tar/tar-reader.ts'
import { runVerb } from './verb-failure.ts'

interface CopyOptions extends SessionOptions {
  readonly container?: string
  readonly preserve: boolean
}
/** Without a pod: on this machine. */
interface Place {
  readonly pod?: string
  readonly namespace?: string
  readonly path: string
}
interface Remote extends Place {
  readonly pod: string
}

export const registerCopyCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('cp'))
    .description('copy files and folders into containers and out of them (tar must be there)')
    .argument('[places...]', 'from, to: PATH here, and [NAMESPACE/]POD:PATH there')
    .option('-c, --container <name>', 'which container, where there are several')
    .option('--no-preserve', 'without owners and modes')
    .action((places: string[], options: CopyOptions) => runVerb(() => copy(places, options)))
}

const copy = async (places: readonly string[], options: CopyOptions): Promise<void> => {
  const [first, second, ...others] = places
  if (first === undefined || second === undefined || others.length > 0)
    throw new Error('source and destination are required')
  const from = parsePlace(first)
  const to = parsePlace(second)
  if (isRemote(from) && isRemote(to))
    throw new Error('one of src or dest must be a local file specification')
  if (from.path === '' || to.path === '') throw new Error('filepath can not be empty')
  if (!isRemote(from) && !isRemote(to))
    throw new Error('one of src or dest must be a remote file specification')
  using session = new ApiSession(options)
  if (isRemote(from)) await copyFrom(session, from, to.path, options)
  else if (isRemote(to)) await copyTo(session, from.path, to, options)
}

const isRemote = (place: Place): place is Remote => place.pod !== undefined

const parsePlace = (text: string): Place => {
  const at = text.indexOf(':')
  if (at < 0) return { path: text }
  const path = text.slice(at + 1)
  const [first = '', second, ...others] = text.slice(0, at).split('/')
  if (first === '' || second === '' || others.length > 0)
    throw new Error('filespec must match the canonical format: [[namespace/]pod:]file/path')
  return second === undefined ? { pod: first, path } : { namespace: first, pod: second, path }
}

const run = async (
  session: ApiSession,
  { pod, namespace = session.namespace }: Remote,
  command: readonly string[],
  options: CopyOptions,
  streams: Streams,
): Promise<number> => {
  const { container } = options
  return runInPod(session, { namespace, pod, container, command, isTerminal: false }, streams)
}

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })

const copyTo = async (
  session: ApiSession,
  path: string,
  to: Remote,
  options: CopyOptions,
): Promise<void> => {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
    throw new Error(`${path} doesn't exist in local filesystem`)
  await session.client.get(podsRef, to.namespace ?? session.namespace, to.pod)
  const quiet = { input: undefined, output: nowhere(), errors: nowhere() }
  const isFolder = (await run(session, to, ['test', '-d', to.path], options, quiet)) === 0
  const asked = posix.normalize(to.path).replace(/(?<=.)\/$/, '')
  const target = isFolder ? posix.join(asked, basename(path)) : asked
  const modes = options.preserve ? [] : ['--no-same-permissions', '--no-same-owner']
  const command = ['tar', ...modes, '-xmf', '-', '-C', posix.dirname(target)]
  const input = Readable.from(tarFiles(path, posix.basename(target)), { objectMode: false })
  endWith(
    await run(session, to, command, options, {
      input,
      output: process.stdout,
      errors: process.stderr,
    }),
  )
}

const copyFrom = async (
  session: ApiSession,
  from: Remote,
  path: string,
  options: CopyOptions,
): Promise<void> => {
  await session.client.get(podsRef, from.namespace ?? session.namespace, from.pod)
  const prefix = withoutClimbing(from.path)
  const unpacker = new Unpacker(from, prefix, path)
  const reader = new TarReader(unpacker)
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        reader.push(chunk)
        done()
      } catch (reason) {
        done(reason instanceof Error ? reason : new Error(String(reason)))
      }
    },
  })
  try {
    const command = ['tar', 'cf', '-', from.path]
    // What tar has to say is told as kubectl tells it, on stdout.
    const streams = { input: undefined, output, errors: process.stdout }
    endWith(await run(session, from, command, options, streams))
  } finally {
    unpacker.end()
  }
}

/** The path as tar names it in an archive: no slash before it, and no way up. */
const withoutClimbing = (path: string): string =>
  posix
    .normalize(path)
    .replace(/^(?:\.{0,2}\/)+/, '')
    .replace(/\/$/, '')

/** Writes the files of an archive below a path. Nothing is written elsewhere, and no links are made, by which that could happen. */
class Unpacker {
  readonly #from: Remote
  readonly #prefix: string
  readonly #path: string
  #file: number | undefined
  #isLinkTold = false

  constructor(from: Remote, prefix: string, path: string) {
    this.#from = from
    this.#prefix = prefix
    this.#path = normalize(path)
  }

  begin({ name, type, mode, target }: TarEntry): void {
    const plain = withoutClimbing(name)
    const isOwn = plain === this.#prefix || plain.startsWith(`${this.#prefix}/`)
    if (!isOwn && this.#prefix !== '' && this.#prefix !== '.')
      throw new Error('tar contents corrupted')
    const rest = isOwn ? plain.slice(this.#prefix.length) : plain
    const path = join(this.#path, rest).replace(/(?<=.)\/$/, '')
    const way = relative(this.#path, path)
    if (way === '..' || way.startsWith(`..${sep}`)) {
      process.stderr.write(
        `warning: file ${JSON.stringify(path)} is outside target destination, skipping\n`,
      )
    } else if (type === 'folder') {
      mkdirSync(path, { recursive: true })
    } else if (type === 'link') {
      this.#tellLink(path, target)
    } else if (type === 'file') {
      mkdirSync(dirname(path), { recursive: true })
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
        throw new Error(`open ${path}: is a directory`)
      this.#file = openSync(path, 'w', mode)
    }
  }

  #tellLink(path: string, target: string): void {
    const { namespace = '', pod, path: source } = this.#from
    const [shown, to, space, name, all] = [path, target, namespace, pod, source].map((text) =>
      JSON.stringify(text),
    )
    const advice = this.#isLinkTold
      ? ''
      : ` (consider using "balsa exec -n ${space} ${name} -- tar cf - ${all} | tar xf -")`
    process.stderr.write(`warning: skipping symlink: ${shown} -> ${to}${advice}\n`)
    this.#isLinkTold = true
  }

  data(bytes: Buffer): void {
    for (let at = 0; this.#file !== undefined && at < bytes.length;)
      at += writeSync(this.#file, bytes, at)
  }

  /** A file is complete, or nothing more comes. */
  end(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}
