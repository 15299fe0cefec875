import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import type { HttpServer } from './http-server.ts'

/** Besides the server's own. One new connection is taken from each in a turn of the event loop. */
const MORE_LISTENERS = 7

export type Listeners = {
  /** Accepts no more connections; resolves when those accepted here are over. */
  close(): Promise<void>
}

/**
 * Listens on a port with several sockets. libuv takes one connection from a socket in each turn of its loop, and a thousand live
 * streams make a turn long: behind one socket, whoever comes then waits for seconds. Where the system cannot share a port's
 * connections among sockets, there is one.
 *
 * @throws what `listen` of Node throws, `EADDRINUSE` above all
 */
export async function listen(http: HttpServer, at: { host: string; port: number }): Promise<Listeners> {
  if (process.platform !== 'linux') {
    await http.listen(at)
    return { close: () => Promise.resolve() }
  }
  // sockets that share their port would open beside those of a server that has it already, and take half of its callers
  await close(await openListener(at, () => undefined))

  const first = { ...at, reusePort: true }
  await http.listen(first)
  const address = http.server.address()
  const shared = typeof address === 'object' && address ? { ...first, port: address.port } : first
  const handOver = (listener: Server) => listener.on('connection', (socket) => http.server.emit('connection', socket))
  const listeners = await Promise.all(Array.from({ length: MORE_LISTENERS }, () => openListener(shared, handOver)))
  return { close: async () => void (await Promise.all(listeners.map(close))) }
}

async function openListener(at: { host: string; port: number; reusePort?: boolean }, prepare: (listener: Server) => void): Promise<Server> {
  // as Node's server of HTTP has its own
  const listener = createServer({ allowHalfOpen: true, noDelay: true })
  prepare(listener)
  listener.listen(at)
  await once(listener, 'listening')
  return listener
}

async function close(listener: Server): Promise<void> {
  listener.close()
  await once(listener, 'close')
}
