import type { Db, DialectName } from '../database.ts'
import { createAccounts } from './0001-accounts.ts'
import { createBots } from './0002-bots.ts'
import { createConversations } from './0003-conversations.ts'
import { createRuns } from './0004-runs.ts'
import { createIdempotency } from './0005-idempotency.ts'
import { createWebhooks } from './0006-webhooks.ts'
import { createResources } from './0007-resources.ts'
import { createWorkflows } from './0008-workflows.ts'
import { createPlugins } from './0009-plugins.ts'
import { createUserTableDefinitions } from './0010-user-tables.ts'
import { createAppConversations } from './0011-app-conversations.ts'
import { createWorkflowRuns } from './0012-workflow-runs.ts'
import { extendForConsole } from './0013-console.ts'
import { extendKeys } from './0014-key-policy.ts'
import { createStopRequests } from './0015-stop-requests.ts'
import { createAudit } from './0016-audit.ts'
import { coverLists } from './0017-covered-lists.ts'
import { findQueuedRuns } from './0018-queued-runs.ts'

export type MigrationStep = (db: Db, dialect: DialectName) => Promise<void>

/** In order of their names; a released step never changes. */
export const migrations: Record<string, MigrationStep> = {
  '0001-accounts': createAccounts,
  '0002-bots': createBots,
  '0003-conversations': createConversations,
  '0004-runs': createRuns,
  '0005-idempotency': createIdempotency,
  '0006-webhooks': createWebhooks,
  '0007-resources': createResources,
  '0008-workflows': createWorkflows,
  '0009-plugins': createPlugins,
  '0010-user-tables': createUserTableDefinitions,
  '0011-app-conversations': createAppConversations,
  '0012-workflow-runs': createWorkflowRuns,
  '0013-console': extendForConsole,
  '0014-key-policy': extendKeys,
  '0015-stop-requests': createStopRequests,
  '0016-audit': createAudit,
  '0017-covered-lists': coverLists,
  '0018-queued-runs': findQueuedRuns,
}
