import Fastify, { LogController } from 'fastify'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { NextId } from '../lib/snowflake.ts'
import { AppError } from '../lib/app-error.ts'
import type { Metrics } from '../usage/metrics.ts'
import { recordActions } from './audit-trail.ts'
import type { AuditServices } from './audit-trail.ts'
import { protectRoutes } from './authentication.ts'
import type { AuthenticationServices } from './authentication.ts'
import { answerBrokenRequests } from './broken-request.ts'
import { replyWithError } from './error-reply.ts'
import { parseJsonBody } from './json-body.ts'
import { createConsolePages } from './console-pages.ts'
import { consoleRoutes } from './console/console-routes.ts'
import type { ConsoleServices } from './console/console-routes.ts'
import { mcpRoutes } from './mcp/mcp-routes.ts'
import { openAiRoutes } from './openai/openai-routes.ts'
import { opsRoutes } from './ops-routes.ts'
import type { OpsServices } from './ops-routes.ts'
import type { ApiKeyDeps } from '../accounts/api-keys.ts'
import { apiKeyRoutes } from './open/open-api-keys.ts'
import { usageRoutes } from './open/open-usage.ts'
import type { UsageServices } from './open/open-usage.ts'
import { appRoutes } from './open/open-apps.ts'
import type { AppServices } from './open/open-apps.ts'
import { botRoutes } from './open/open-bots.ts'
import type { BotServices } from './open/open-bots.ts'
import { chatRoutes } from './open/open-chat.ts'
import type { ChatServices } from './open/open-chat.ts'
import { conversationRoutes } from './open/open-conversations.ts'
import type { ConversationServices } from './open/open-conversations.ts'
import { messageRoutes } from './open/open-messages.ts'
import type { MessageServices } from './open/open-messages.ts'
import { fileRoutes } from './open/open-files.ts'
import type { FileServices } from './open/open-files.ts'
import { tokenRoutes } from './open/open-tokens.ts'
import type { TokenServices } from './open/open-tokens.ts'
import { userRoutes } from './open/open-users.ts'
import type { UserServices } from './open/open-users.ts'
import { variableRoutes } from './open/open-variables.ts'
import type { VariableServices } from './open/open-variables.ts'
import { workflowRoutes } from './open/open-workflows.ts'
import type { WorkflowServices } from './open/open-workflows.ts'
import { allowPages } from './page-origins.ts'
import { serveReference } from './reference.ts'
import { recordRequests } from './request-log.ts'
import { validatorCompiler } from './validation.ts'
import { welcomeRoutes } from './welcome.ts'

export type HttpServer = FastifyInstance

export type HttpServices = {
  authentication: AuthenticationServices
  audit: AuditServices
  chat: ChatServices
  conversations: ConversationServices
  messages: MessageServices
  bots: BotServices
  apps: AppServices
  variables: VariableServices
  users: UserServices
  workflows: WorkflowServices
  files: FileServices
  apiKeys: ApiKeyDeps
  tokens: TokenServices
  usage: UsageServices
  ops: OpsServices
  console: ConsoleServices
  metrics: Metrics
  nextId: NextId
}

export type HttpOptions = {
  logger: FastifyBaseLogger
  trustProxy: boolean | string
  corsOrigins: string[]
  publicUrl: string
  version: string
  /** Where the built console is, or would be. */
  consoleDir: string
}

/** Larger than any real chat; uploads stream past it. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/** The whole of what is served over HTTP. Routes translate and call; rules live in the use cases behind them. */
export async function createHttpServer(services: HttpServices, options: HttpOptions): Promise<HttpServer> {
  const http = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy,
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => `req_${services.nextId()}`,
    // the whole of an upload must arrive within it; a silent one is dropped long before
    requestTimeout: 3_600_000,
    keepAliveTimeout: 75_000,
    // requests that wait on a kept connection while the server stops are answered, then it closes
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequests(services.nextId),
    // a path that no route could take: none of the hooks has run
    frameworkErrors: (error, request, reply) => void replyWithError(error, request, reply.header('x-tt-logid', request.id)),
  })
  http.setValidatorCompiler(validatorCompiler)
  // the answers are plain JSON already: the schemas of replies are for the reference
  http.setSerializerCompiler(() => (data) => JSON.stringify(data))
  http.setErrorHandler(replyWithError)
  const pages = createConsolePages(options)
  http.setNotFoundHandler((request, reply) =>
    pages?.isPage(request)
      ? pages.sendPage(reply)
      : replyWithError(new AppError('not_found', `not found: ${request.method} ${pathOf(request.url)}`), request, reply),
  )
  acceptJson(http)

  recordRequests(http, services.metrics)
  // before the gate: pages may read why they are refused
  await allowPages(http, options.corsOrigins)
  protectRoutes(http, services.authentication)
  recordActions(http, services.audit)
  await serveReference(http, options)

  await http.register(opsRoutes(services.ops))
  if (pages) await pages.register(http)
  else await http.register(welcomeRoutes(options))
  await http.register(consoleRoutes(services.console))
  await http.register(chatRoutes(services.chat))
  await http.register(conversationRoutes(services.conversations))
  await http.register(messageRoutes(services.messages))
  await http.register(botRoutes(services.bots))
  await http.register(appRoutes(services.apps))
  await http.register(variableRoutes(services.variables))
  await http.register(userRoutes(services.users))
  await http.register(fileRoutes(services.files))
  await http.register(workflowRoutes(services.workflows))
  await http.register(apiKeyRoutes(services.apiKeys))
  await http.register(tokenRoutes(services.tokens))
  await http.register(usageRoutes(services.usage))
  await http.register(openAiRoutes({ ...services.chat, ...services.bots }))
  await http.register(mcpRoutes({ ...services.chat, ...services.bots }, options))
  return http
}

/** An empty body is fine whatever its type says: the guide's Python session and axios name one with every call. */
function acceptJson(http: FastifyInstance): void {
  http.removeAllContentTypeParsers()
  http.addContentTypeParser(/^application\/([\w.-]+\+)?json/i, { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    try {
      done(null, parseJsonBody(body))
    } catch (cause) {
      done(cause instanceof Error ? cause : new Error('the body cannot be parsed', { cause }))
    }
  })
  http.addContentTypeParser('*', (request, _payload, done) => {
    const isEmpty = request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0
    done(isEmpty ? null : new AppError('invalid_request', 'send the body as JSON with the header Content-Type: application/json'))
  })
}

/** Without a key that somebody has put into it: who reads errors may not be who has it. */
const pathOf = (url: string) => (url.split('?', 1)[0] ?? '').replace(/(pat|pub)_[^/]+/g, '$1_****').slice(0, 200)
