import { runProgram } from './child-program.ts'
import { findPrograms } from './find-program.ts'

/** A python3 that has the official Python SDK. Not installed by CI: Debian has no package of it, and of what it needs only versions that are too old. */
export async function findCozepy(): Promise<string | undefined> {
  for (const program of findPrograms('python3')) {
    const { exitCode } = await runProgram(program, ['-c', 'import cozepy'])
    if (exitCode === 0) return program
  }
  return undefined
}
