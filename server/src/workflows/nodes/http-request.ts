import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { renderTemplate } from '../values/template.ts'
import { toText } from '../values/value-text.ts'
import { fieldOf } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import type { HttpAuth, HttpBody, HttpSettings, NamedInput } from './http-settings.ts'
import { toMultipart } from './multipart-form.ts'
import type { FormPart } from './multipart-form.ts'

export type HttpRequest = { url: string; headers: Headers; body: string | Uint8Array | undefined }

export type RequestSurroundings = {
  /** The content of a file; rejects with a NodeError. */
  download(url: string): Promise<Uint8Array>
  /** What a file is called. */
  nameOf(url: string): string | undefined
  warn(message: string): void
}

/** Settings filled with the node's inputs. Rejects with a NodeError for what cannot be sent. */
export async function toHttpRequest(settings: HttpSettings, inputs: ValueObject, around: RequestSurroundings): Promise<HttpRequest> {
  const url = parseUrl(renderTemplate(settings.url, inputs))
  const headers = new Headers()
  const setHeader = (name: string, value: string) => writeHeader(headers, { name, value, warn: around.warn })

  for (const { name, input } of settings.headers) setHeader(name, textOf(inputs, input))
  for (const { name, input } of settings.params) url.searchParams.set(name, textOf(inputs, input))
  addAuth(settings.auth, { inputs, url, setHeader })
  moveCredentials(url, headers)

  const body = await toBody(settings.body, inputs, around)
  if (body && (!headers.has('content-type') || body.hasBoundary)) headers.set('content-type', body.contentType)
  return { url: url.href, headers, body: body?.content }
}

const textOf = (inputs: ValueObject, name: string): string => toText(fieldOf(inputs, name) ?? '')

const refuse = (message: string, options?: ErrorOptions) => new NodeError(nodeErrors.executionFailed, message, options)

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  // the text may hold keys: it is not repeated
  if (!url) throw refuse('the URL is not valid: with its placeholders filled in it must begin with http:// or https:// and a host')
  return url
}

/** Of the connection, not of the request. */
const OWN_HEADERS = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']

function writeHeader(headers: Headers, { name, value, warn }: { name: string; value: string; warn(message: string): void }): void {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw refuse(`${JSON.stringify(name.slice(0, 100))} is no name of a header`)
  if (OWN_HEADERS.includes(name.toLowerCase())) return warn(`the header ${name} is left out: HTTP sets it itself`)
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw refuse(`the value of the header ${name} must be one line without control characters`)

  // headers are bytes, which `Headers` takes one per character
  headers.set(name, Buffer.from(value).toString('latin1'))
}

type Filling = { inputs: ValueObject; url: URL; setHeader(name: string, value: string): void }

function addAuth(auth: HttpAuth, { inputs, url, setHeader }: Filling): void {
  switch (auth.kind) {
    case 'none':
      return
    case 'bearer':
      return setHeader('Authorization', `Bearer ${textOf(inputs, auth.token)}`)
    case 'custom': {
      const [key, value] = [textOf(inputs, auth.key), textOf(inputs, auth.value)]
      if (auth.place === 'query') url.searchParams.set(key, value)
      else setHeader(key, value)
    }
  }
}

/** `user:password@` of a URL is sent as what it means. */
function moveCredentials(url: URL, headers: Headers): void {
  if (url.username === '' && url.password === '') return
  const credentials = `${decode(url.username)}:${decode(url.password)}`
  if (!headers.has('authorization')) headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`)
  url.username = ''
  url.password = ''
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `hasBoundary`: only this content type tells where the parts of the body end. */
type Body = { content: string | Uint8Array; contentType: string; hasBoundary?: boolean }

async function toBody(body: HttpBody, inputs: ValueObject, around: RequestSurroundings): Promise<Body | undefined> {
  switch (body.kind) {
    case 'empty':
      return undefined
    case 'text':
      return { content: renderTemplate(body.text, inputs), contentType: body.contentType }
    case 'urlencoded': {
      const pairs = body.fields.map(({ name, input }): [string, string] => [name, textOf(inputs, input)])
      return { content: new URLSearchParams(pairs).toString(), contentType: 'application/x-www-form-urlencoded' }
    }
    case 'form':
      return toForm(body.fields, inputs, around)
    case 'binary':
      return { content: await around.download(textOf(inputs, body.file)), contentType: 'application/octet-stream' }
  }
}

async function toForm(fields: NamedInput[], inputs: ValueObject, around: RequestSurroundings): Promise<Body> {
  const parts: FormPart[] = []
  for (const { name, input, isFile } of fields) {
    const value = textOf(inputs, input)
    if (isFile) parts.push({ name, fileName: around.nameOf(value) ?? name, content: await around.download(value) })
    else parts.push({ name, content: Buffer.from(value) })
  }
  return { ...toMultipart(parts), hasBoundary: true }
}
