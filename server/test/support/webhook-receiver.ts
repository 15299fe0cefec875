import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { vi } from 'vitest'

/** An HTTP server that webhooks are sent to. */
export type WebhookReceiver = AsyncDisposable & {
  url: string
  port: number
  received: ReceivedWebhook[]
  /** What it answers: a status, with headers where it needs some, nothing for ever, or a cut connection. */
  answer: (webhook: ReceivedWebhook) => WebhookAnswer | Promise<WebhookAnswer>
  /** Requests that were open at the same time, at most. */
  readonly mostAtOnce: number
  close(): Promise<void>
}

export type ReceivedWebhook = { method: string; headers: Record<string, string>; body: string }
export type WebhookAnswer = number | { status: number; headers: Record<string, string> } | 'hang' | 'cut'

export async function startWebhookReceiver(answer: WebhookReceiver['answer'] = () => 204, port = 0): Promise<WebhookReceiver> {
  let open = 0
  let mostAtOnce = 0
  const server = createServer((request, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++open)
    response.on('close', () => open--)
    void receive(receiver, request, response)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  const address = server.address() as AddressInfo
  const close = async () => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${address.port}/hook`,
    port: address.port,
    received: [],
    answer,
    get mostAtOnce() {
      return mostAtOnce
    },
    close,
    [Symbol.asyncDispose]: close,
  }
  return receiver
}

/** Checks the signature as a receiver does, at that time; answers the event. Throws when it is not authentic. */
export function verifyWebhook({ headers, body }: ReceivedWebhook, secret: string, at: number) {
  vi.useFakeTimers({ now: at, toFake: ['Date'] })
  try {
    return new Webhook(secret).verify(body, headers) as ReturnType<typeof JSON.parse>
  } finally {
    vi.useRealTimers()
  }
}

async function receive(receiver: WebhookReceiver, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const webhook = { method: String(request.method), headers, body: await text(request) }
  receiver.received.push(webhook)
  const answer = await receiver.answer(webhook)

  if (answer === 'hang') return
  if (answer === 'cut') return void request.socket.destroy()
  const { status, headers: extra } = typeof answer === 'number' ? { status: answer, headers: {} } : answer
  response.writeHead(status, extra).end('thank you')
}
