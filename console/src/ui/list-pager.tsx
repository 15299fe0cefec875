import { Pagination } from 'antd'

type ListPagerProps = { page: number; size: number; total: number; onPage: (page: number) => void }

/** Below a list; nothing where one page holds it all. */
export function ListPager({ page, size, total, onPage }: ListPagerProps) {
  return (
    <Pagination
      current={page}
      pageSize={size}
      total={total}
      onChange={onPage}
      showSizeChanger={false}
      hideOnSinglePage
      align="center"
      responsive
    />
  )
}
