// `npm run simulate`: the simulator of @balsa/raft, with --member that of the whole member of @balsa/kv; or with --mutants their bug zoos, which
// live with the tests.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const args = process.argv.slice(2)
const isZoo = args.includes('--mutants')
const simulator = fileURLToPath(
  new URL(
    `../packages/${args.includes('--member') ? 'kv' : 'raft'}/dist/simulation/main.js`,
    import.meta.url,
  ),
)
const zoo = fileURLToPath(new URL('../test/mutants-main.ts', import.meta.url))
const command = isZoo ? ['--import', 'tsx', zoo] : [simulator]
const child = spawn(process.execPath, [...command, ...args], { stdio: 'inherit' })
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
