import type { Json } from './test-app.ts'

/** What is wrong with an OpenAPI document, as a reader or a client generator would find it; empty when nothing is. */
export function findOpenApiProblems(document: Json): string[] {
  const problems: string[] = []
  if (!/^3\.1\.\d+$/.test(document.openapi)) problems.push(`openapi is ${document.openapi}`)
  if (!document.info?.title || !document.info?.version) problems.push('info has no title or no version')
  if (!document.servers?.every((server: Json) => URL.canParse(server.url))) problems.push('servers have no URL')

  const ids = new Set<string>()
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    for (const [method, operation] of Object.entries<Json>(item)) {
      const where = `${method.toUpperCase()} ${path}`
      const found = [
        ...operationProblems(operation, document),
        ...parameterProblems(path, operation),
        ...schemaProblems(operation, document),
      ]
      if (operation.operationId && ids.has(operation.operationId)) found.push(`operationId ${operation.operationId} is there twice`)
      ids.add(operation.operationId)
      problems.push(...found.map((problem) => `${where}: ${problem}`))
    }
  }
  return problems
}

/** `GET /v1/bots/{bot_id}` for each operation. */
export const operationsOf = (document: Json): string[] =>
  Object.entries<Json>(document.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))

function operationProblems(operation: Json, document: Json): string[] {
  const problems: string[] = []
  if (!operation.summary) problems.push('has no summary')
  if (!operation.tags?.length) problems.push('has no tag')
  const statuses = Object.keys(operation.responses ?? {})
  if (!statuses.some((status) => /^2\d\d$/.test(status))) problems.push('says nothing of its success')
  for (const status of statuses) if (!operation.responses[status].description) problems.push(`response ${status} has no description`)
  for (const requirement of operation.security ?? []) {
    for (const name of Object.keys(requirement)) {
      if (!document.components.securitySchemes[name]) problems.push(`names the unknown security scheme ${name}`)
    }
  }
  return problems
}

function parameterProblems(path: string, operation: Json): string[] {
  const parameters: Json[] = operation.parameters ?? []
  const problems = parameters
    .filter(({ name, in: place, schema }) => !name || !place || !schema)
    .map(() => 'has a parameter without name, place or schema')
  const declared = parameters.filter((parameter) => parameter.in === 'path')
  for (const { name, required } of declared) if (required !== true) problems.push(`path parameter ${name} is not required`)

  const names = declared.map((parameter) => parameter.name).sort()
  const used = [...path.matchAll(/\{([^}]*)\}/g)].map((match) => match[1]).sort()
  if (names.join() !== used.join()) problems.push(`its path has ${used.join()}, its parameters have ${names.join()}`)
  return problems
}

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])

/** Every schema below, wherever it stands. */
function schemaProblems(node: Json, document: Json): string[] {
  if (typeof node !== 'object' || node === null) return []
  const inner = Object.entries(node).filter(([name]) => !FREE_VALUES.has(name))
  return [...nodeProblems(node, document), ...inner.flatMap(([, value]) => schemaProblems(value, document))]
}

const FREE_VALUES = new Set(['example', 'examples', 'default', 'enum', 'const'])

function nodeProblems(node: Json, document: Json): string[] {
  const problems: string[] = []
  if (typeof node.$ref === 'string' && !resolves(node.$ref, document)) problems.push(`${node.$ref} leads nowhere`)
  if (typeof node.pattern === 'string') problems.push(...patternProblems(node.pattern))
  const types = [node.type].flat().filter((type) => typeof type === 'string')
  // security schemes have types of their own; they are no schemas
  if (!node.scheme && !node.in) problems.push(...types.filter((type) => !TYPES.has(type)).map((type) => `unknown type ${type}`))
  return [...problems, ...requiredProblems(node)]
}

function requiredProblems({ required, properties }: Json): string[] {
  if (!Array.isArray(required) || !properties) return []
  return required.filter((name) => !(name in properties)).map((name) => `requires ${name}, which it does not have`)
}

function patternProblems(pattern: string): string[] {
  try {
    new RegExp(pattern, 'u')
    return []
  } catch {
    return [`pattern ${pattern} is none`]
  }
}

function resolves(ref: string, document: Json): boolean {
  if (!ref.startsWith('#/')) return false
  return (
    ref
      .slice(2)
      .split('/')
      .reduce((node: Json, name) => node?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], document) !== undefined
  )
}
