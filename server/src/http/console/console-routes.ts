import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { agentRoutes } from './agent-routes.ts'
import type { AgentServices } from './agent-routes.ts'
import { auditRoutes } from './audit-routes.ts'
import type { AuditListServices } from './audit-routes.ts'
import { conversationRoutes } from './conversation-routes.ts'
import type { ConversationServices } from './conversation-routes.ts'
import { modelRoutes } from './model-routes.ts'
import type { ModelServices } from './model-routes.ts'
import { guardFromPages } from './page-guard.ts'
import { patRoutes } from './pat-routes.ts'
import type { PatServices } from './pat-routes.ts'
import { previewRoutes } from './preview-routes.ts'
import type { PreviewServices } from './preview-routes.ts'
import type { StatusServices } from './server-status.ts'
import { sessionRoutes } from './session-routes.ts'
import type { SessionServices } from './session-routes.ts'
import { stateRoutes } from './state-routes.ts'
import type { StateServices } from './state-routes.ts'
import { statusRoutes } from './status-routes.ts'
import { uploadRoutes } from './upload-routes.ts'
import type { UploadServices } from './upload-routes.ts'
import { usageRoutes } from './usage-routes.ts'
import type { UsageServices } from './usage-routes.ts'
import { userRoutes } from './user-routes.ts'
import type { AccountServices } from './user-routes.ts'
import { workflowRoutes } from './workflow-routes.ts'
import type { WorkflowServices } from './workflow-routes.ts'
import { workflowRunRoutes } from './workflow-run-routes.ts'
import type { WorkflowRunServices } from './workflow-run-routes.ts'

export type ConsoleServices = PageServices & { sessions: SessionServices; state: StateServices; keys: PatServices }

/** What the pages of the console are made of. */
export type PageServices = {
  agents: AgentServices
  preview: PreviewServices
  uploads: UploadServices
  workflows: WorkflowServices
  workflowRuns: WorkflowRunServices
  conversations: ConversationServices
  usage: UsageServices
  models: ModelServices
  accounts: AccountServices
  audit: AuditListServices
  status: StatusServices
}

/** Everything that is for people with a session. */
export const consoleRoutes = (services: ConsoleServices): FastifyPluginAsyncZod =>
  guarded([sessionRoutes(services.sessions), stateRoutes(services.state), patRoutes(services.keys), pageRoutes(services)])

/** Every route in it is guarded against other sites' pages. */
export const guarded =
  (routes: FastifyPluginAsyncZod[]): FastifyPluginAsyncZod =>
  async (http) => {
    http.addHook('onRequest', guardFromPages)
    for (const plugin of routes) await http.register(plugin)
  }

/** They change with the pages that they are for, so the reference of the API does not have them. */
export const pageRoutes =
  (services: PageServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, hide: true }
    })
    await http.register(agentRoutes(services.agents))
    await http.register(previewRoutes(services.preview))
    await http.register(uploadRoutes(services.uploads))
    await http.register(workflowRoutes(services.workflows))
    await http.register(workflowRunRoutes(services.workflowRuns))
    await http.register(conversationRoutes(services.conversations))
    await http.register(usageRoutes(services.usage))
    await http.register(modelRoutes(services.models))
    await http.register(userRoutes(services.accounts))
    await http.register(auditRoutes(services.audit))
    await http.register(statusRoutes(services.status))
  }
