const MB = 1_000_000

/** What code in nodes may use; `docs/code-nodes.md` tells builders. */
export const codeLimits = {
  timeoutMs: 30_000,
  sourceChars: 100_000,
  /** As JSON. */
  paramsBytes: 4 * MB,
  resultBytes: MB,
  /** What is kept of the code's own output, for the message of a failure. */
  printedChars: 300,
  /** For each language; the others wait. */
  runsAtOnce: 4,
  javascript: { memoryBytes: 100 * MB, stackBytes: MB },
  python: { memoryBytes: 256 * MB, openFiles: 64 },
} as const
