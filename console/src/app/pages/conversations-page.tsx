import { ConversationList } from '../../features/conversations/conversation-list.tsx'
import { conversationsTexts } from '../../features/conversations/conversations-texts.ts'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

export function ConversationsPage() {
  const t = useTexts(conversationsTexts)
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <ConversationList />
    </>
  )
}
