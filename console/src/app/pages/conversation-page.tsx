import { DownloadOutlined } from '@ant-design/icons'
import { Badge, Button } from 'antd'
import { useParams } from 'react-router'
import { ConversationView } from '../../features/conversations/conversation-view.tsx'
import { exportPath, useConversation } from '../../features/conversations/conversations-queries.ts'
import { conversationsTexts } from '../../features/conversations/conversations-texts.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { useDownload } from '../../ui/use-download.ts'

export function ConversationPage() {
  const t = useTexts(conversationsTexts)
  const { conversationId = '' } = useParams()
  const { data, error, refetch } = useConversation(conversationId)
  const download = useDownload()
  const title = data?.name || data?.external_id || t('unnamed', { id: conversationId })

  const exportButton = (
    <Button
      icon={<DownloadOutlined aria-hidden />}
      loading={download.isBusy}
      onClick={() => void download.start(exportPath(conversationId), { name: `conversation-${conversationId}.json` })}
    >
      {t('export')}
    </Button>
  )
  return (
    <>
      <PageHeader
        title={title}
        backTo="/conversations"
        badge={data?.is_busy ? <Badge status="processing" text={t('busy')} /> : undefined}
        actions={data && exportButton}
      />
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data && <ConversationView conversation={data} />}
    </>
  )
}
