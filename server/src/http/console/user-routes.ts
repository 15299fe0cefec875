import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { User as StoredUser } from '../../accounts/user-store.ts'
import { changeUser, createUser, listUsers, resetPassword } from '../../accounts/users.ts'
import type { AdministeringDeps } from '../../accounts/users.ts'
import { audited } from '../audit-trail.ts'
import { idField } from '../open/open-fields.ts'
import { success } from '../success-reply.ts'
import { newAccountSchema, passwordResetSchema, userChangeSchema, userListQuery } from './user-wire.ts'
import type { User } from './user-wire.ts'

export type AccountServices = AdministeringDeps

/** The accounts of this installation, for its administrators. */
export const userRoutes =
  (services: AccountServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/users', { config, schema: { querystring: userListQuery } }, async (request) => {
      const { users, total } = await listUsers(services, request.query)
      return success(request, { items: users.map(toUser), total })
    })

    http.post(
      '/api/console/users',
      { config: audited(config, 'user.create', 'email', 'role'), schema: { body: newAccountSchema } },
      async (request) => success(request, toUser(await createUser(services, request.body))),
    )

    http.put(
      '/api/console/users/:id',
      { config: audited(config, 'user.update', 'name', 'role', 'is_disabled'), schema: { params, body: userChangeSchema } },
      async (request) => {
        const { is_disabled: isDisabled, ...change } = request.body
        const user = await changeUser(services, request.principal, { userId: request.params.id, isDisabled, ...change })
        return success(request, toUser(user))
      },
    )

    http.post(
      '/api/console/users/:id/reset-password',
      { config: audited(config, 'user.reset_password'), schema: { params, body: passwordResetSchema } },
      async (request) => {
        await resetPassword(services, { userId: request.params.id, password: request.body.new_password })
        return success(request, {})
      },
    )
  }

const config = { auth: 'admin' } as const
const params = z.object({ id: idField })

function toUser({ id, email, name, role, isDisabled, createdAt }: StoredUser): User {
  return { id, email, name, role, is_disabled: isDisabled, created_at: createdAt }
}
