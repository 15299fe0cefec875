const QUIET_MS = 60_000

/** Tells that Redis cannot be used: at most once a minute, however many calls notice it. */
export function createOutageReport(
  onError: (cause: unknown) => void,
  meanwhile = 'this server keeps its jobs to itself',
): (cause: unknown) => void {
  let quietUntil = 0

  return (cause) => {
    const now = performance.now()
    if (now < quietUntil) return
    quietUntil = now + QUIET_MS
    // @NOTE not the error itself: it brings the command along that failed, and the first command is the password
    onError(new Error(`a call to Redis failed (${reasonOf(cause)}): while Redis cannot be used, ${meanwhile}`))
  }
}

/** `ECONNREFUSED` of the system, `WRONGPASS` of Redis. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown'
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  return /^[A-Z]{3,}(?= )/.exec(cause.message)?.[0] ?? cause.name
}
