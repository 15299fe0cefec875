import { screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { Chat, Conversation, Message } from '../../../../server/src/http/console/conversation-wire.ts'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { changeLanguage } from '../../lib/texts.ts'
import { ConversationList } from './conversation-list.tsx'
import { ConversationView } from './conversation-view.tsx'

const AT = Date.UTC(2026, 0, 5, 12)

const conversation = (fields: Partial<Conversation> = {}): Conversation => ({
  ...{ id: '7', external_id: null, agent_id: '9', agent_name: 'Shop', end_user: 'ada', name: 'Returns' },
  ...{ created_at: AT, updated_at: AT, is_busy: false, ...fields },
})
const message = (id: string, fields: Partial<Message>): Message => ({
  ...{ id, chat_id: '1', section_id: '1', role: 'assistant', type: 'answer', content: 'ok', content_type: 'text', reasoning: '' },
  ...{ created_at: AT, feedback: null, ...fields },
})
const chat = (fields: Partial<Chat> = {}): Chat => ({
  ...{ id: '1', kind: 'agent', status: 'completed', error: null, usage: { input_tokens: 1200, output_tokens: 30 }, key_id: null },
  ...{ created_at: AT, finished_at: AT + 2500, first_token_ms: 400, ...fields },
})

function showMessages(items: Message[], chats: Chat[]) {
  const api = fakeConsoleApi({ 'GET /api/console/conversations/7/messages': { data: { items, total: items.length, chats } } })
  return { ...renderConsole(<ConversationView conversation={conversation()} />), ...api }
}

test('a conversation is read with its tool calls, tokens and times', async () => {
  showMessages(
    [
      message('1', { role: 'user', type: 'question', content: 'Where is <b>it</b>?' }),
      message('2', { type: 'function_call', content: '{"id":"c1","name":"find_order","arguments":{"number":5}}' }),
      message('3', { type: 'tool_response', content: '{"state":"sent"}' }),
      message('4', { content: 'It was **sent**.' }),
    ],
    [chat()],
  )
  const messages = await screen.findByRole('region', { name: 'Messages' })
  expect(within(messages).getByText('Where is <b>it</b>?')).toBeTruthy()
  expect(within(messages).getByText('Tool call: find_order')).toBeTruthy()
  expect(within(messages).getByText(/"number": 5/)).toBeTruthy()
  expect(within(messages).getByText('sent').tagName).toBe('STRONG')
  expect(messages.textContent).toContain('1,200 tokens in, 30 out')
  expect(messages.textContent).toContain('took 2.5 s')
})

test('what a model or a user writes is never HTML, and fetches nothing', async () => {
  const parts = JSON.stringify([
    { type: 'image', file_url: 'javascript:alert(1)' },
    { type: 'image', file_url: 'https://evil.example/x.png' },
  ])
  const { container } = showMessages(
    [
      message('1', { role: 'user', type: 'question', content: parts, content_type: 'object_string' }),
      message('2', { content: '<img src=x onerror=alert(1)> ![spy](https://evil.example/spy.png) [go](javascript:alert(1))' }),
    ],
    [],
  )
  await screen.findByText(/spy/)
  expect(container.querySelectorAll('img')).toHaveLength(0)
  expect([...container.querySelectorAll('a')].filter(({ href }) => href.startsWith('javascript:'))).toEqual([])
})

test('a chat that failed says why, and a new section is marked', async () => {
  showMessages(
    [message('1', { role: 'user', type: 'question' }), message('2', { role: 'user', type: 'question', chat_id: '2', section_id: '2' })],
    [chat(), chat({ id: '2', status: 'failed', error: { code: '5000', message: 'the model refused the key' } })],
  )
  expect((await screen.findByRole('alert')).textContent).toContain('the model refused the key')
  expect(screen.getByText('Failed')).toBeTruthy()
  expect(screen.getByText(/context begins anew/)).toBeTruthy()
})

test('the list asks for what is in the address, and says when nothing is like that', async () => {
  const { requests } = fakeConsoleApi({
    'GET /api/console/conversations': ({ query }) => ({
      data: query.get('search') === 'none' ? { items: [], total: 0 } : { items: [conversation()], total: 1 },
    }),
    'GET /api/console/agents': { data: { items: [], total: 0 } },
    'GET /api/console/end-users': { data: { items: [], total: 0 } },
  })
  const { person, router } = renderConsole(<ConversationList />, { at: '/?user=ada&kind=test' })
  expect((await screen.findByRole('link', { name: 'Returns' })).getAttribute('href')).toBe('/conversations/7')
  const asked = requests.find(({ path }) => path === '/api/console/conversations')
  expect(Object.fromEntries(asked?.query ?? [])).toMatchObject({ end_user: 'ada', kind: 'test', page: '1' })

  await person.type(screen.getByRole('searchbox', { name: 'Search by name, id or user' }), 'none')
  await person.click(await screen.findByRole('button', { name: 'Show all conversations' }))
  expect(await screen.findByRole('link', { name: 'Returns' })).toBeTruthy()
  expect(router.state.location.search).toBe('?kind=test')
})

test('where nobody has talked yet, the page says how to begin, in Chinese too', async () => {
  fakeConsoleApi({ 'GET /api/console/conversations': { data: { items: [], total: 0 } } })
  await changeLanguage('zh')
  renderConsole(<ConversationList />)
  expect(await screen.findByRole('heading', { name: '还没有人与您的智能体对话' })).toBeTruthy()
  await changeLanguage('en')
})
