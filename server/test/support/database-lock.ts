import { startProgram } from './child-program.ts'
import type { ChildProgram } from './child-program.ts'
import { repositoryRoot } from './serve-process.ts'

/** Another process that holds the write lock of an SQLite file from now on, for `ms` or until it is stopped. */
export async function lockDatabase(path: string, ms: number): Promise<ChildProgram> {
  const script = `
    import Database from 'better-sqlite3'
    const database = new Database(${JSON.stringify(path)})
    database.exec('begin immediate')
    console.log('locked')
    setTimeout(() => database.exec('rollback'), ${ms})`
  const program = startProgram(process.execPath, ['--input-type=module', '--eval', script], { cwd: repositoryRoot })
  await program.untilPrinted('locked')
  return program
}
