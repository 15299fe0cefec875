import type { ServerOperation } from './server-operation.ts'
import type { ServerTool } from './server-tool.ts'
import { ToolFailure } from './tool-call.ts'

/** The same text without the secrets. */
export type SecretFilter = (text: string) => string

/**
 * Takes out of what a server says what it was told in the headers: some say it back, above all in errors, and tool answers are read
 * by end users and stored.
 */
export function createSecretFilter(headers: Record<string, string>): SecretFilter {
  const secrets = Object.entries(headers)
    .filter(([name]) => !HARMLESS.test(name))
    .flatMap(([, value]) => [value, ...value.split(/[\s,;=]+/)])
    .filter((part) => part.length >= LEAST_LENGTH)
    .flatMap((part) => [part, JSON.stringify(part).slice(1, -1)])
  // the longest first: one may be a part of another
  const ordered = [...new Set(secrets)].toSorted((one, other) => other.length - one.length)
  return (text) => ordered.reduce((left, secret) => left.replaceAll(secret, '****'), text)
}

/** Such as `accept: application/json`, which answers may well speak of. */
const HARMLESS = /^(accept|content|user-agent)/i
/** What is shorter is no secret to speak of, and may be a word. */
const LEAST_LENGTH = 12

export function hideInTool(tool: ServerTool, hide: SecretFilter): ServerTool {
  return {
    ...tool,
    async call(args, options) {
      const { content, isError } = await tool.call(args, options)
      return { content: hide(content), isError }
    },
  }
}

export function hideInOperation(operation: ServerOperation, hide: SecretFilter): ServerOperation {
  return {
    ...operation,
    async call(args, options) {
      try {
        const { text, isJson } = await operation.call(args, options)
        return { text: hide(text), isJson }
      } catch (cause) {
        throw cause instanceof ToolFailure ? new ToolFailure(hide(cause.message), { status: cause.status, cause: cause.cause }) : cause
      }
    },
  }
}
