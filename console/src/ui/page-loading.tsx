import { Skeleton } from 'antd'

/** While a page or its data are on the way. */
export function PageLoading() {
  return (
    <div aria-busy="true" role="status">
      <Skeleton active paragraph={{ rows: 6 }} />
    </div>
  )
}
