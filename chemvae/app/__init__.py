"""The app: a library's map, molecules, searches and campaigns in a browser, served on one's own machine by ``chemvae serve``.

The server's process only listens, keeps the index of jobs and hands files out. Everything that is computed is computed in
processes of its own (:mod:`chemvae.app.processes`): quick answers at the *desk*, one job each in *workers*.
"""
