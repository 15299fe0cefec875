import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { User } from '../../accounts/user-store.ts'
import { success, successSchema } from '../success-reply.ts'
import { pageNumberField, pageSizeField } from './open-fields.ts'

export type UserServices = { getUser(who: Principal): Promise<User> }

const tags = ['Users']

const userSchema = z.object({ user_id: z.string(), user_name: z.string(), nick_name: z.string(), avatar_url: z.string() })

const workspaceSchema = z.object({
  id: z.string().describe('The `space_id` or `workspace_id` of other routes.'),
  name: z.string(),
  icon_url: z.string(),
  role_type: z.literal('owner'),
  workspace_type: z.literal('personal'),
  enterprise_id: z.string(),
})

/** Who calls, and the one workspace that everybody has. */
export const userRoutes =
  (services: UserServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/users/me',
      {
        config: { auth: 'key', action: 'any' },
        schema: { tags, summary: 'Who the key belongs to', response: { 200: successSchema(userSchema) } },
      },
      async (request) => {
        const { id, email, name } = await services.getUser(request.principal)
        return success(request, { user_id: id, user_name: email, nick_name: name, avatar_url: '' })
      },
    )

    http.get(
      '/v1/workspaces',
      {
        config: { auth: 'key', action: 'any' },
        schema: {
          tags,
          summary: 'List your workspaces: everybody has one',
          querystring: z.object({ page_num: pageNumberField, page_size: pageSizeField(50, 20) }),
          response: { 200: successSchema(z.object({ total_count: z.number(), workspaces: z.array(workspaceSchema) })) },
        },
      },
      async (request) => {
        const workspace = toWorkspace(await services.getUser(request.principal))
        return success(request, { total_count: 1, workspaces: request.query.page_num === 1 ? [workspace] : [] })
      },
    )
  }

function toWorkspace({ id, name }: User): z.infer<typeof workspaceSchema> {
  return { id, name, icon_url: '', role_type: 'owner', workspace_type: 'personal', enterprise_id: '' }
}
