import { Agent, createServer, request as openRequest, type ServerResponse } from 'node:http'

/**
 * The physical limit our server is measured against: looks the bearer token up in a Map and pipes the model's answer through.
 *
 *   PORT=4020 MODEL_PORT=4010 API_KEY=bench node bench/bare-proxy.ts
 */
export function createBareProxy({ modelPort, apiKey }: { modelPort: number; apiKey: string }) {
  const owners = new Map([[`Bearer ${apiKey}`, 'bench']])
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 2048 })

  return createServer((request, response) => {
    const owner = owners.get(request.headers.authorization ?? '')
    if (!owner) return sendJson(response, 401, { error: 'unknown key' })
    if (request.method === 'GET') return sendJson(response, 200, { bot_id: '123456', owner })

    const headers = { 'content-type': 'application/json', 'content-length': request.headers['content-length'] }
    const onward = openRequest({ agent, host: '127.0.0.1', port: modelPort, method: 'POST', path: '/v1/chat/completions', headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] })
      answer.pipe(response)
    })
    onward.on('error', () => (response.headersSent ? response.destroy() : sendJson(response, 502, { error: 'no model' })))
    response.on('close', () => response.writableFinished || onward.destroy())
    request.pipe(onward)
  })
}

function sendJson(response: ServerResponse, status: number, value: unknown) {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

if (import.meta.main) {
  const { PORT, MODEL_PORT, API_KEY = '' } = process.env
  const server = createBareProxy({ modelPort: Number(MODEL_PORT), apiKey: API_KEY })
  server.keepAliveTimeout = 120_000
  server.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 4096 })
}
