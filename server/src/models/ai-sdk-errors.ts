import type { IncomingHttpHeaders } from 'node:http'
import { ModelError } from './model-adapter.ts'
import { answerError, presentable, providerMessage, refusalError } from './provider-errors.ts'
import { connectionError, errorCode } from './provider-exchange.ts'

/**
 * What the AI SDK's providers throw, or send within a stream, as a ModelError; anything they did not make is handed back as it is.
 * Their own errors hold the whole request and the raw answer: none of it goes on.
 */
export function sdkError(cause: unknown, apiKey: string): unknown {
  if (cause instanceof ModelError || typeof cause !== 'object' || cause === null) return cause

  const { statusCode, name, message, data, responseHeaders } = parseSdkError(cause)
  const said = presentable(providerMessage(data) || message, apiKey)
  if (statusCode !== undefined && statusCode !== 200)
    return refusalError({ status: statusCode, headers: responseHeaders, message: said, apiKey })
  if (statusCode === 200 || GARBAGE.has(name)) return notTheProtocol(new Error(said))
  if (REFUSED_BY_SDK.has(name)) return new ModelError('rejected', `the model does not take this request: ${said}`)
  if (errorCode(cause)) return connectionError(cause)
  return cause instanceof Error ? cause : answerError(cause, apiKey)
}

export const notTheProtocol = (cause?: Error) =>
  new ModelError('garbage', 'the model provider sent something that is not of its protocol: check the base URL', { cause })

const GARBAGE = new Set([
  'AI_JSONParseError',
  'AI_TypeValidationError',
  'AI_InvalidResponseDataError',
  'AI_EmptyResponseBodyError',
  'AI_NoContentGeneratedError',
])
const REFUSED_BY_SDK = new Set(['AI_UnsupportedFunctionalityError', 'AI_InvalidPromptError', 'AI_InvalidArgumentError'])

type SdkError = { statusCode: number | undefined; name: string; message: string; data: unknown; responseHeaders: IncomingHttpHeaders }

function parseSdkError(cause: object): SdkError {
  const error = cause as Record<string, unknown>
  return {
    statusCode: typeof error.statusCode === 'number' ? error.statusCode : undefined,
    name: typeof error.name === 'string' ? error.name : '',
    message: typeof error.message === 'string' ? error.message : '',
    data: error.data,
    responseHeaders: (error.responseHeaders ?? {}) as IncomingHttpHeaders,
  }
}
