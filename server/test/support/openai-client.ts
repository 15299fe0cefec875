import OpenAI from 'openai'
import type { TestApp } from './test-app.ts'

export type Body = OpenAI.ChatCompletionCreateParamsNonStreaming
export type Chunk = OpenAI.ChatCompletionChunk

export const QUESTION: Body = { model: '123456', messages: [{ role: 'user', content: 'hi' }] }

export const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
}

/** The official client, set up as its users set it up, but that it does not try again by itself. */
export const sdkOf = (app: TestApp, apiKey = app.apiKey) => new OpenAI({ baseURL: `${app.url}/v1`, apiKey, maxRetries: 0 })

export async function textOf(reply: OpenAI.ChatCompletion | AsyncIterable<Chunk>): Promise<string> {
  if (!(Symbol.asyncIterator in reply)) return reply.choices[0]?.message.content ?? ''
  return textIn(await Array.fromAsync(reply))
}

export const textIn = (chunks: Chunk[]) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
