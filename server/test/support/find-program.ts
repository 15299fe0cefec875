import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** For `describe.skipIf(cannotRun('nginx'))`. Never true in CI: there a missing program fails the test that asks for it. */
export function cannotRun(...names: string[]): boolean {
  return !process.env.CI && names.some((name) => findPrograms(name).length === 0)
}

export function requireProgram(name: string): string {
  const [path] = findPrograms(name)
  if (path === undefined) throw new Error(`${name} is not installed`)
  return path
}

/** Every program of that name, those on PATH first. */
export function findPrograms(name: string): string[] {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), ...STANDARD_DIRS]
  return [...new Set(dirs)].map((dir) => join(dir, name)).filter((path) => existsSync(path))
}

// Debian keeps servers where only root looks
const STANDARD_DIRS = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin']
