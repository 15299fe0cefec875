import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { AgentPage } from '../../../../server/src/http/console/agent-wire.ts'
import type {
  Conversation,
  ConversationListQuery,
  ConversationPage,
  EndUserPage,
  MessagePage,
} from '../../../../server/src/http/console/conversation-wire.ts'
import { api } from '../../lib/api-client.ts'

const CONVERSATIONS = '/api/console/conversations'
const CHOICES = 50
const LIVE_MS = 3_000

export type ConversationFilter = Pick<ConversationListQuery, 'agent_id' | 'end_user' | 'search' | 'kind'> & { page: number; size: number }

/** A page of the list; while the next one is on the way the one before stays. */
export const useConversations = (filter: ConversationFilter) =>
  useQuery({
    queryKey: ['conversations', 'list', filter],
    queryFn: ({ signal }) => api.get<ConversationPage>(CONVERSATIONS, { query: filter, signal }),
    placeholderData: keepPreviousData,
  })

/** Asks again and again while a chat is running in it. */
export const useConversation = (id: string) =>
  useQuery({
    queryKey: ['conversations', 'one', id],
    queryFn: ({ signal }) => api.get<Conversation>(pathOf(id), { signal }),
    refetchInterval: ({ state }) => state.data?.is_busy && LIVE_MS,
  })

/** `isLive`: more are being written. */
export const useMessages = (id: string, query: { page: number; size: number; order: 'asc' | 'desc' }, isLive: boolean) =>
  useQuery({
    queryKey: ['conversations', 'messages', id, query, isLive],
    queryFn: ({ signal }) => api.get<MessagePage>(`${pathOf(id)}/messages`, { query, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: isLive && LIVE_MS,
  })

export const exportPath = (id: string): string => `${pathOf(id)}/export`

/** Agents to choose from. */
export const useAgentChoices = (search: string) =>
  useQuery({
    queryKey: ['conversations', 'agents', search],
    queryFn: ({ signal }) => api.get<AgentPage>('/api/console/agents', { query: { page: 1, size: CHOICES, search }, signal }),
    select: ({ items }) => items.map(({ id, name }) => ({ value: id, label: name })),
    placeholderData: keepPreviousData,
  })

/** The most recent end users, of one agent or of all. */
export const useEndUserChoices = ({ agentId, search }: { agentId: string; search: string }) =>
  useQuery({
    queryKey: ['conversations', 'end-users', agentId, search],
    queryFn: ({ signal }) =>
      api.get<EndUserPage>('/api/console/end-users', { query: { page: 1, size: CHOICES, agent_id: agentId, search }, signal }),
    select: ({ items }) =>
      // a conversation without a user has no name to choose it by
      items
        .filter(({ end_user }) => end_user !== '')
        .map(({ end_user, conversations }) => ({ value: end_user, label: end_user, conversations })),
    placeholderData: keepPreviousData,
  })

const pathOf = (id: string) => `${CONVERSATIONS}/${encodeURIComponent(id)}`
