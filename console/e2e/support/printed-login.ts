import type { ServeProcess } from '../../../server/test/support/serve-process.ts'

/** What the first start tells the operator; the password is there only when none was set. */
export async function readPrintedLogin({ program }: ServeProcess): Promise<{ email: string; password: string }> {
  await program.untilPrinted('"query"')
  const [, email, password] = /Console login +(\S+) +(\S+)/.exec(program.printed().stdout) ?? []
  if (email === undefined || password === undefined) throw new Error(`no login was printed:\n${program.printed().stdout}`)
  return { email, password }
}
