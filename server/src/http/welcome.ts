import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'

export type WelcomeOptions = { publicUrl: string; version: string }

/** What a browser sees at `/` until the console is there: what runs, and where to go on. */
export const welcomeRoutes =
  ({ publicUrl, version }: WelcomeOptions): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/', { config: { auth: 'public' }, schema: { hide: true } }, async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        .send(page(publicUrl, version)),
    )
  }

const page = (url: string, version: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coze Plus</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1.5rem; color-scheme: light dark }
  h1 { margin-bottom: 0 }
  code, pre { font: 14px/1.5 ui-monospace, monospace; background: light-dark(#f3f4f6, #1f2430); border-radius: 6px }
  code { padding: .1em .35em }
  pre { padding: 1rem; overflow-x: auto }
</style>
</head>
<body>
<h1>Coze Plus</h1>
<p>Version ${version} is running.</p>
<p>Base URL of the API: <code>${url}</code></p>
<ul>
  <li><a href="docs/">API reference</a>, with examples to try</li>
  <li><a href="openapi.json">OpenAPI document</a></li>
</ul>
<p>Call the demo bot with the key that the first start printed:</p>
<pre>curl ${url}/v3/chat \\
  -H 'Authorization: Bearer &lt;api_key&gt;' \\
  -H 'Content-Type: application/json' \\
  -d '{"bot_id": 123456, "query": "Hello, what can you do?"}'</pre>
</body>
</html>
`
