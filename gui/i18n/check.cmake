# Fails when a text in the sources has no finished translation. cmake -D LUPDATE=... -D ROOM=... -D WORK=... -P check.cmake
file(COPY_FILE ${ROOM}/i18n/hearth_zh_CN.ts ${WORK}/check_zh_CN.ts)
execute_process(COMMAND ${LUPDATE} -silent -locations none -no-obsolete -I ${ROOM}/.. -recursive ${ROOM} -ts ${WORK}/check_zh_CN.ts
  COMMAND_ERROR_IS_FATAL ANY)
file(READ ${WORK}/check_zh_CN.ts text)
string(REGEX MATCHALL "<source>[^<]*</source>[ \n]*<translation type=\"unfinished\"" unfinished "${text}")
if(unfinished)
  message(FATAL_ERROR "untranslated; run gui/i18n/update.sh and translate:\n${unfinished}")
endif()
