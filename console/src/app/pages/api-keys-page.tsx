import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import { ApiKeyList } from '../../features/api-keys/api-key-list.tsx'
import { apiKeysTexts } from '../../features/api-keys/api-keys-texts.ts'
import { NewKeyDialog } from '../../features/api-keys/new-key-dialog.tsx'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

export function ApiKeysPage() {
  const t = useTexts(apiKeysTexts)
  const [isCreating, setCreating] = useState(false)
  const createButton = (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setCreating(true)}>
      {t('create')}
    </Button>
  )
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} actions={createButton} />
      <ApiKeyList createButton={createButton} />
      {isCreating && <NewKeyDialog onClose={() => setCreating(false)} />}
    </>
  )
}
