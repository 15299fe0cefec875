import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSecretBox } from '../src/lib/secret-box.ts'
import { signedHeaders, webhookSecretOf } from '../src/webhooks/webhook-signature.ts'
import { startProgram } from './support/child-program.ts'
import { cannotRun, requireProgram } from './support/find-program.ts'
import { freePort } from './support/free-port.ts'
import { repositoryRoot } from './support/serve-process.ts'

const secret = webhookSecretOf(createSecretBox('master'), '7')
const payload = JSON.stringify({ type: 'chat.completed', timestamp: new Date().toISOString(), data: { id: '42', text: '密钥 😀' } })

describe('the receivers of docs/webhooks.md tell ours from others', () => {
  test('Node', async () => {
    await expectToVerify(process.execPath, ['--input-type=module', '--eval', await readSample('js')])
  })

  test.skipIf(cannotRun('python3'))('Python', async () => {
    await expectToVerify(requireProgram('python3'), ['-c', await readSample('python')])
  })
})

async function expectToVerify(command: string, args: string[]): Promise<void> {
  const port = await freePort()
  const env = { PORT: String(port), WEBHOOK_SECRET: secret }
  await using receiver = startProgram(command, args, { cwd: join(repositoryRoot, 'server'), env })
  const send = (headers: Record<string, string>, body = payload) => fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })
  await expect.poll(() => send({}).catch(() => 'not up yet'), { timeout: 15_000 }).toMatchObject({ status: 401 })

  const event = { id: '77', sentAt: Date.now(), payload }
  const authentic = signedHeaders(secret, event)
  const others = signedHeaders(webhookSecretOf(createSecretBox('master'), '8'), event)
  const old = signedHeaders(secret, { ...event, sentAt: event.sentAt - 600_000 })

  const replies = [await send(authentic), await send(authentic), await send(others), await send(old), await send(authentic, `${payload} `)]
  expect(replies.map(({ status }) => status)).toEqual([204, 204, 401, 401, 401])
  await receiver.untilPrinted('\n')
  expect(receiver.printed().stdout).toBe('chat.completed 42\n')
}

async function readSample(language: string): Promise<string> {
  const page = await readFile(join(repositoryRoot, 'docs', 'webhooks.md'), 'utf8')
  const [, sample = ''] = page.split(`\`\`\`${language}\n`)
  return sample.slice(0, sample.indexOf('```'))
}
