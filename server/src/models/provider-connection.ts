import { Agent, EnvHttpProxyAgent } from 'undici'
import type { Dispatcher } from 'undici'

/** The way to the providers' servers: connections kept alive and shared by all models, and the operator's proxy. */
export interface ProviderConnection {
  dispatcherFor(url: URL): Dispatcher
  /** Breaks what is still running. */
  close(): Promise<void>
}

export type ProxySettings = { httpProxy?: string | undefined; httpsProxy?: string | undefined; noProxy?: string | undefined }

export type ConnectionOptions = {
  proxy?: ProxySettings
  /** Until a connection stands, name lookup and TLS included. */
  connectMs?: number
}

/**
 * @NOTE Connections are not limited in number: a stream holds one for as long as it lives, and a limit would let the next chat wait
 * for the end of another. HTTP/2 is off for the same reason: a lost packet would stop all the streams that share its connection.
 * How long an answer may take is the callers' to watch, who know its kind.
 */
export function createProviderConnection({ proxy = {}, connectMs = 10_000 }: ConnectionOptions = {}): ProviderConnection {
  const options = { connections: null, pipelining: 1, allowH2: false, connectTimeout: connectMs, headersTimeout: 0, bodyTimeout: 0 }
  const direct = new Agent(options)
  // an empty text keeps undici from reading the environment, which is config.ts's to read
  const proxied =
    proxy.httpProxy || proxy.httpsProxy
      ? new EnvHttpProxyAgent({
          ...options,
          httpProxy: proxy.httpProxy ?? '',
          httpsProxy: proxy.httpsProxy ?? '',
          noProxy: proxy.noProxy ?? '',
        })
      : undefined

  return {
    dispatcherFor: (url) => (proxied && !isLoopback(url.hostname) ? proxied : direct),
    async close() {
      await Promise.all([direct.destroy(), proxied?.destroy()])
    },
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
