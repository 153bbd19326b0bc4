# Installation: headers, libaxmul, axmul, a CMake package without third-party dependencies, pkg-config.
include(CMakePackageConfigHelpers)
install(TARGETS axmul_shared EXPORT axmul-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS axmul_executable RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/axmul DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        PATTERN "train" EXCLUDE)
install(FILES luts/axmul-library.h5 DESTINATION ${CMAKE_INSTALL_DATADIR}/axmul OPTIONAL)
install(PROGRAMS tools/state_dict_to_h5.py DESTINATION ${CMAKE_INSTALL_DATADIR}/axmul)
install(FILES README.md CHANGELOG.md SECURITY.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/axmul)
install(EXPORT axmul-targets NAMESPACE axmul:: DESTINATION ${package_dir})
configure_package_config_file(tools/cmake/axmul-config.cmake.in ${CMAKE_BINARY_DIR}/axmul-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/axmul-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/axmul-config.cmake ${CMAKE_BINARY_DIR}/axmul-config-version.cmake
        DESTINATION ${package_dir})
# From LIBDIR/pkgconfig up to the prefix, so an installation can be moved.
file(RELATIVE_PATH AXMUL_PC_UP /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(tools/cmake/axmul.pc.in ${CMAKE_BINARY_DIR}/axmul.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/axmul.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# Manual pages and completion are made by the program itself, from its option tables.
if(NOT CMAKE_CROSSCOMPILING)
  install(CODE "
    set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
    function(axmul_reference format file)
      get_filename_component(folder \"\${root}/\${file}\" DIRECTORY)
      file(MAKE_DIRECTORY \"\${folder}\")
      execute_process(COMMAND \"$<TARGET_FILE:axmul_executable>\" reference --format \${format} --force
                              --output \"\${root}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
    endfunction()
    axmul_reference(man ${CMAKE_INSTALL_MANDIR}/man1)
    axmul_reference(bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions/axmul)
    axmul_reference(zsh ${CMAKE_INSTALL_DATADIR}/zsh/site-functions/_axmul)
    axmul_reference(fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d/axmul.fish)")
endif()
