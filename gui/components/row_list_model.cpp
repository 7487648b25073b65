// RowListModel: the part that moc needs a source for.
#include "gui/components/row_list_model.h"
