import { AppError } from '../lib/app-error.ts'
import type { Principal } from './principal.ts'

/** Every user has one workspace of their own, and its id is theirs. Another's does not exist; none given means one's own. */
export function assertOwnWorkspace(who: Principal, workspaceId: string | undefined): void {
  if (workspaceId !== undefined && workspaceId !== who.userId)
    throw new AppError('not_found', 'workspace not found: GET /v1/workspaces tells the id of yours')
}
