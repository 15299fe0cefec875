import { getUserByEmail, listUsers } from '../accounts/users.ts'
import type { Core } from '../core.ts'
import { AppError } from '../lib/app-error.ts'

/** What became of one thing of a manifest. */
export type Applied = {
  kind: 'model' | 'app' | 'plugin' | 'database' | 'workflow' | 'bot'
  id: string
  name: string
  change: 'created' | 'updated' | 'unchanged'
  published?: string
}

/** Whose a thing of a manifest is. Without an owner it is the only user's, where there is only one. */
export async function ownerIdOf(core: Core, { thing, owner }: { thing: string; owner: string | undefined }): Promise<string> {
  if (owner !== undefined) return (await getUserByEmail(core, owner)).id

  const { users, total } = await listUsers(core, { page: 1, size: 2 })
  const [only] = users
  if (!only || total > 1) throw new AppError('invalid_request', `${thing} needs an owner: the e-mail address of one of the ${total} users`)
  return only.id
}
