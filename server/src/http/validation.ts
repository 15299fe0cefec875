import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { AppError } from '../lib/app-error.ts'

/** Checks a part of a request with its zod schema; the refusal names the field in the guide's words ("bot id is required"). */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    // a body that is absent is an empty one: every field of it is missing
    const input = httpPart === 'body' ? (data ?? {}) : withoutEmptyValues(data)
    const parsed = schema.safeParse(input, { error: inOurWords })
    return parsed.success
      ? { value: parsed.data }
      : { error: new AppError('invalid_request', describe(parsed.error, input), { cause: parsed.error }) }
  }

/** Official SDKs send `?conversation_id=` for a value they do not have. */
function withoutEmptyValues(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== ''))
}

function describe(error: z.ZodError, input: unknown): string {
  const issue = firstIssue(error)
  if (!issue) return 'invalid request'
  if (issue.path.length === 0) return typeof input === 'object' && !Array.isArray(input) ? issue.message : 'the body must be a JSON object'

  const field = issue.path.map(String).join('.')
  if (valueAt(input, issue.path) === undefined) return `${field.replaceAll('_', ' ')} is required`
  return `${field}: ${lowerFirst(issue.message)}`
}

/** The first thing that is wrong. Of a union it is what is wrong with the side that fits best. */
export function firstIssue(error: z.ZodError): Pick<z.core.$ZodIssue, 'path' | 'message'> | undefined {
  const issue = error.issues[0]
  return issue && innermost(issue)
}

function innermost(issue: z.core.$ZodIssue): Pick<z.core.$ZodIssue, 'path' | 'message'> {
  if (issue.code !== 'invalid_union') return issue
  const inner = issue.errors.flatMap((side) => side.slice(0, 1)).find(({ path }) => path.length > 0)
  if (!inner) return issue
  const { path, message } = innermost(inner)
  return { path: [...issue.path, ...path], message }
}

const NOUNS: Partial<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** For what a schema has no words for: the library's own never reach a caller. */
function inOurWords(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') return `must be ${NOUNS[issue.expected] ?? 'of another type'}`
  if (issue.code === 'too_big') return `is too large: the most is ${issue.maximum}`
  if (issue.code === 'too_small') return `is too small: the least is ${issue.minimum}`
  return 'is not valid'
}

function valueAt(input: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), input)
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)
