import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

// a Node that is told not to strip types is as helpless as an old one
const oldNode = [process.execPath, '--no-experimental-strip-types'] as const

test('runs the TypeScript sources as they are', async () => {
  await using checkout = await createCheckout({
    'server/src/cli.ts': `const words: string[] = process.argv.slice(2)\nconsole.log(words.join())`,
  })
  const run = checkout.run([process.execPath], ['serve', '--json'])
  expect(await run.ended).toEqual({ exitCode: 0, signal: null, stdout: 'serve,--json\n', stderr: '' })
})

test('under an old Node, hands over to the one that npm installed', async () => {
  await using checkout = await createCheckout({ 'node_modules/node/bin/node': '#!/bin/sh\nshift 2\necho "newer: $*"\nexit 7\n' })
  const run = checkout.run(oldNode, ['keys', 'list'])
  expect(await run.ended).toMatchObject({ exitCode: 7, stdout: 'newer: keys list\n' })
})

test('a signal reaches the Node that does the work', async () => {
  await using checkout = await createCheckout({
    'node_modules/node/bin/node': `#!/bin/sh\ntrap 'echo drained; exit 0' TERM\necho ready\nfor i in $(seq 200); do sleep 0.05; done\n`,
  })
  const run = checkout.run(oldNode, ['serve'])
  await once(run.child.stdout, 'data')
  run.child.kill('SIGTERM')
  expect(await run.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('drained') })
})

test('dies of the signal that the Node that does the work died of', async () => {
  await using checkout = await createCheckout({ 'node_modules/node/bin/node': '#!/bin/sh\nkill -KILL $$\n' })
  expect(await checkout.run(oldNode, ['serve']).ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
})

test('under an old Node, with no other, says in one line what to do', async () => {
  await using checkout = await createCheckout({})
  const { exitCode, stdout, stderr } = await checkout.run(oldNode, ['serve']).ended
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toMatch(/^coze-plus needs Node 22\.18 or newer, this is v[\d.]+: .*npm ci.*\n$/)
})

/** A checkout in a temp folder that holds the command and these files. */
async function createCheckout(files: Record<string, string>) {
  const root = await mkdtemp(join(tmpdir(), 'coze-plus-command-'))
  const command = join(root, 'server', 'bin', 'coze-plus.js')
  await mkdir(dirname(command), { recursive: true })
  await copyFile(join(import.meta.dirname, '..', 'bin', 'coze-plus.js'), command)
  await writeFile(join(root, 'server', 'package.json'), '{ "type": "module" }')
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
    await chmod(join(root, name), 0o755)
  }

  function run([node, ...nodeArgs]: readonly string[], args: string[]) {
    const child = spawn(String(node), [...nodeArgs, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(([stdout, stderr]) => ({
      exitCode: child.exitCode,
      signal: child.signalCode,
      stdout,
      stderr,
    }))
    return { child, ended }
  }
  return { run, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) }
}
