import { UsageReport } from '../../features/usage/usage-report.tsx'
import { usageTexts } from '../../features/usage/usage-texts.ts'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

export function UsagePage() {
  const t = useTexts(usageTexts)
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <UsageReport />
    </>
  )
}
