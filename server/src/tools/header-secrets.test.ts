import { expect, test } from 'vitest'
import { createSecretFilter, hideInOperation, hideInTool } from './header-secrets.ts'
import { ToolFailure } from './tool-call.ts'

const hide = createSecretFilter({
  ...{ Authorization: 'Bearer a-long-token-of-a-tool', 'X-Key': 'with"quotes"inside', Cookie: 'sid=the-session-of-it; lang=en' },
  ...{ Accept: 'application/json', 'X-Region': 'eu-west-1' },
})
const signal = new AbortController().signal

test.each([
  ['{"authorization":"Bearer a-long-token-of-a-tool"}', '{"authorization":"****"}'],
  ['the token a-long-token-of-a-tool is old; once more: a-long-token-of-a-tool', 'the token **** is old; once more: ****'],
  ['{"x-key":"with\\"quotes\\"inside"}', '{"x-key":"****"}'],
  ['no session the-session-of-it', 'no session ****'],
  ['in eu-west-1 you get application/json, lang=en, from the Bearer', 'in eu-west-1 you get application/json, lang=en, from the Bearer'],
])('%j becomes %j', (said, left) => expect(hide(said)).toBe(left))

test('what a tool and an operation answer, and what goes wrong', async () => {
  const said = 'no a-long-token-of-a-tool'
  const plan = { name: 'look', description: '', parameters: {} }
  const tool = hideInTool({ ...plan, call: async () => ({ content: said, isError: true }) }, hide)
  expect(await tool.call('{}', { signal })).toEqual({ content: 'no ****', isError: true })

  const operation = { ...plan, aliases: [], hasBody: false }
  const answering = hideInOperation({ ...operation, call: async () => ({ text: said, isJson: false }) }, hide)
  expect(await answering.call({}, { signal })).toEqual({ text: 'no ****', isJson: false })
  const failing = hideInOperation({ ...operation, call: () => Promise.reject(new ToolFailure(said, { status: 403 })) }, hide)
  await expect(failing.call({}, { signal })).rejects.toMatchObject({ message: 'no ****', status: 403 })
})
