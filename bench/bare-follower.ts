// The other side of bare-exchange.ts: whatever comes is answered with one byte once a record is durable.
import { createServer } from 'node:net'
import { BareFile } from './bare-file.ts'

const file = new BareFile(process.argv[2] ?? '')
await file.append()
const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('data', () => {
    file.append().then(
      () => socket.write('x'),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  socket.on('error', () => process.exit(0))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.(address.port)
})
