// What SIGTERM and Ctrl-C do to a command that stays.

/** The first signal stops cleanly, the second at once. */
export function stopOnSignal(close: () => Promise<void>): void {
  let isStopping = false
  const stop = (): void => {
    if (isStopping) process.exit(1)
    isStopping = true
    close().then(
      () => process.exit(0),
      (reason: unknown) => {
        process.stderr.write(`balsa: while stopping: ${String(reason)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
